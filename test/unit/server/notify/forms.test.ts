import { expect } from "chai";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { APP_EVENT_TYPES } from "../../../../core/records/apps/app-event-type.js";
import type { AppEvent } from "../../../../server/events/app-event.js";
import { slackMessage } from "../../../../server/notify/slack-form.js";
import { standardMessage } from "../../../../server/notify/standard-form.js";

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const EVENT: AppEvent = {
  type: "release.live",
  app: "shop",
  release: "v42",
  commit: "0123456789abcdef0123456789abcdef01234567",
  branch: "master",
  track: "production",
  at: "2026-01-31T10:00:00.000Z",
  url: "http://shop.example.com",
};

describe("a notification in the standard form", () => {
  it("is verified by Standard Webhooks' own library, whatever it says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.uuid(), (reason, id) => {
        const { headers, body } = standardMessage({ ...EVENT, reason }, { id, sentAt: Date.now(), secret });
        const verified: unknown = new Webhook(secret).verify(body, { ...headers });
        expect(verified).to.deep.equal(JSON.parse(body));
      }),
    );
  });

  it("is not verified with another secret, body, id or time", () => {
    const { headers, body } = standardMessage(EVENT, { id: "msg_1", sentAt: Date.now(), secret });
    const other = `whsec_${randomBytes(32).toString("base64")}`;
    const verify = (key: string, text: string, changed: Record<string, string>): unknown =>
      new Webhook(key).verify(text, { ...headers, ...changed });
    expect(verify(secret, body, {})).to.be.an("object");
    expect(() => verify(other, body, {})).to.throw("No matching signature");
    expect(() => verify(secret, `${body} `, {})).to.throw("No matching signature");
    expect(() => verify(secret, body, { "webhook-id": "msg_2" })).to.throw("No matching signature");
    const later = String(Number(headers["webhook-timestamp"]) + 1);
    expect(() => verify(secret, body, { "webhook-timestamp": later })).to.throw("No matching signature");
  });

  it("has type, time and data; the time of the try stands in the header", () => {
    const sentAt = Date.parse("2026-01-31T12:00:00.900Z");
    const { headers, body } = standardMessage({ ...EVENT, reason: "x" }, { id: "msg_1", sentAt, secret });
    expect(headers).to.include({
      "content-type": "application/json",
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Date.parse("2026-01-31T12:00:00Z") / 1000),
    });
    const { app, release, commit, branch, track, url } = EVENT;
    expect(JSON.parse(body)).to.deep.equal({
      type: "release.live",
      timestamp: "2026-01-31T10:00:00.000Z",
      data: { app, release, commit, branch, track, url, reason: "x" },
    });
  });
});

describe("a notification for Slack", () => {
  it("is one line that says what happened, where, of which commit, and why", () => {
    expect(textOf(EVENT)).to.equal(
      "shop: v42 is live on production. http://shop.example.com (master, 0123456789)",
    );
    expect(
      textOf({ ...EVENT, type: "release.failed", reason: "The gate test failed (status 1).\nmore" }),
    ).to.equal(
      "shop: v42 failed and is not live on production. http://shop.example.com (master, 0123456789) The gate test failed (status 1).",
    );
    expect(textOf({ ...EVENT, test: true })).to.match(/^\[test\] shop: v42 is live/);
  });

  it("has words of its own for each event, and no more than a line", () => {
    const texts = APP_EVENT_TYPES.map((type) =>
      textOf({ ...EVENT, type, name: "v42.test", reason: "a\n\tb\u0007" }),
    );
    expect(new Set(texts).size).to.equal(APP_EVENT_TYPES.length);
    for (const text of texts)
      expect(text)
        .to.match(/^shop: [\x20-\x7e]+$/)
        .and.include("v42");
  });

  it("says of a certificate for which name there is none, and why", () => {
    const event = { type: "certificate.failed", app: "shop", at: EVENT.at, name: "www.shop.test" } as const;
    expect(textOf({ ...event, reason: "www.shop.test: no answer\nb: c" })).to.equal(
      "shop: no certificate can be had for www.shop.test. www.shop.test: no answer",
    );
  });

  it("cannot mention anybody or make a link: Slack's own characters are escaped", () => {
    expect(textOf({ ...EVENT, reason: "<!channel> & <http://x|y>" })).to.match(
      / &lt;!channel&gt; &amp; &lt;http:\/\/x\|y&gt;$/,
    );
    fc.assert(
      fc.property(fc.string(), (reason) => {
        const text = textOf({ ...EVENT, reason });
        expect(text).not.to.match(/[<>]|&(?!amp;|lt;|gt;)/);
      }),
    );
  });

  it("stays short", () => {
    expect(textOf({ ...EVENT, reason: "x".repeat(10_000) })).to.have.length.below(400);
  });

  function textOf(event: AppEvent): string {
    const body = JSON.parse(slackMessage(event).body) as { text: string };
    expect(body).to.have.all.keys("text");
    return body.text;
  }
});
