import { expect } from "chai";
import type { EventRecord } from "../../../../core/records/events/event-record.js";
import { settingsSchema } from "../../../../core/settings/settings.js";
import { noticeOf } from "../../../../server/notify/notice-of.js";

const SETTINGS = { ...settingsSchema.parse({ domain: "example.com" }), token: undefined };
const EVENT: EventRecord = {
  ...{
    id: "1-0",
    at: "2026-01-31T10:00:00.000Z",
    app: "shop",
    type: "release.live",
    by: "ann",
    release: "v2",
  },
  data: { commit: "abc", branch: "master", track: "production", hasUrl: true },
};

describe("an event, for an app's receivers", () => {
  it("is what its body has always been", () => {
    expect(noticeOf(SETTINGS, EVENT)).to.deep.equal({
      ...{ type: "release.live", app: "shop", release: "v2", commit: "abc", branch: "master" },
      ...{ track: "production", at: "2026-01-31T10:00:00.000Z", url: "http://shop.example.com:8080" },
    });
  });

  it("has a reason where there is one, and no URL without a web process", () => {
    const data = { ...EVENT.data, hasUrl: false, reason: "It is bad." };
    const notice = noticeOf(SETTINGS, { ...EVENT, type: "release.failed", data });
    expect(notice).to.include({ reason: "It is bad." }).and.not.to.have.property("url");
  });

  it("tells which name has no certificate, without a release", () => {
    const data = { subject: "www.shop.test", reason: "www.shop.test: no answer" };
    const { id, at, app, by } = EVENT;
    const event = { id, at, app, by, type: "certificate.failed", data } as const;
    expect(noticeOf(SETTINGS, event)).to.deep.equal({
      ...{ type: "certificate.failed", app: "shop", at: "2026-01-31T10:00:00.000Z" },
      ...{ name: "www.shop.test", reason: "www.shop.test: no answer" },
    });
  });

  it("is none where receivers were never told", () => {
    for (const type of ["release.queued", "release.retired", "scale.changed", "app.created"] as const)
      expect(noticeOf(SETTINGS, { ...EVENT, type }), type).to.equal(undefined);
  });
});
