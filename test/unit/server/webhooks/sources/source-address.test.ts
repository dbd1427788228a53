import { expect } from "chai";
import { parseSource, shownSource } from "../../../../../server/webhooks/sources/source-address.js";

describe("a source's address", () => {
  it("is what git fetches from: https, http, ssh, git, file, or the short form of ssh", () => {
    for (const source of [
      "https://github.com/acme/shop.git",
      "https://x-access-token:secret@example.com:8443/acme/shop.git",
      "ssh://git@example.com:2222/acme/shop.git",
      "git@github.com:acme/shop.git",
      "git://example.com/shop.git",
      "file:///srv/git/shop.git",
    ])
      expect(parseSource(source)).to.equal(source);
  });

  it("is nothing that git would take for an option, a command or another transport", () => {
    for (const source of [
      "",
      "shop",
      "/srv/git/shop.git",
      "--upload-pack=touch /tmp/x",
      "-oProxyCommand=touch@x:y",
      "-oProxy@example.com:shop.git",
      "ext::sh -c touch% /tmp/x",
      "https://example.com/a b",
      "https://example.com/\nhost",
      "ssh://-oProxyCommand=x/y",
      "fd::17",
      `https://example.com/${"x".repeat(3000)}`,
    ])
      expect(() => parseSource(source), source).to.throw(/Sluice cannot fetch from this source/);
  });

  it("is shown without the password that it may hold", () => {
    expect(shownSource("https://user:secret@example.com/x.git")).to.equal("https://example.com/x.git");
    expect(shownSource("git@example.com:x.git")).to.equal("git@example.com:x.git");
  });
});
