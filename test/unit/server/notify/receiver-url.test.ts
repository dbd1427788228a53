import { expect } from "chai";
import { parseReceiverUrl, shownUrl } from "../../../../server/notify/receiver-url.js";

describe("the address of a receiver", () => {
  it("is http or https, and holds no user or password", () => {
    expect(parseReceiverUrl("https://example.com/hook?key=1")).to.equal("https://example.com/hook?key=1");
    expect(parseReceiverUrl("http://127.0.0.1:9000")).to.equal("http://127.0.0.1:9000/");
    for (const [url, problem] of [
      ["", "it is not a URL"],
      ["example.com/hook", "it is not a URL"],
      ["file:///etc/passwd", "file: is neither http: nor https:"],
      ["javascript:alert(1)", "javascript: is neither http: nor https:"],
      ["https://user@example.com/", "it contains a user or a password"],
      ["https://:word@example.com/", "it contains a user or a password"],
      [`https://example.com/${"x".repeat(2000)}`, "it is longer than 2000 characters"],
    ] as const)
      expect(() => parseReceiverUrl(url), url).to.throw(`Notifications cannot be sent there: ${problem}.`);
  });

  it("is shown without what may be secret in it", () => {
    expect(shownUrl("https://example.com/hook?key=secret", "standard")).to.equal(
      "https://example.com/hook?…",
    );
    expect(shownUrl("https://example.com/hook", "standard")).to.equal("https://example.com/hook");
    expect(shownUrl("https://hooks.slack.com/services/T0/B0/secret", "slack")).to.equal(
      "https://hooks.slack.com/…",
    );
  });
});
