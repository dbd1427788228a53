import { expect } from "chai";
import type { ReleaseRecord } from "../../../../core/records/releases/release-record.js";
import { releaseRecordSchema } from "../../../../core/records/releases/release-record.js";
import { eventOfDecision, eventOfRelease } from "../../../../server/events/events-of.js";

const AT = "2026-01-31T10:00:00.000Z";
const URL = "http://shop.example.com";

describe("what is told of an app", () => {
  it("is told when a release goes live, once", () => {
    expect(told(release({ phase: "healthy" }), release({ phase: "live" }))).to.deep.equal({
      type: "release.live",
      app: "shop",
      release: "v42",
      commit: "abc",
      branch: "master",
      track: "production",
      at: AT,
      url: URL,
    });
    expect(told(release({ phase: "live" }), release({ phase: "live" }))).to.equal(undefined);
    expect(told(release({ phase: "live" }), release({ phase: "settled" }))).to.equal(undefined);
    expect(told(undefined, release({ phase: "queued" }))).to.equal(undefined);
  });

  it("says why a release failed", () => {
    const error = { code: "gate-failed", message: "The gate test failed.", hint: "Fix it." };
    expect(told(release({ phase: "installed" }), release({ phase: "failed", error }))).to.include({
      type: "release.failed",
      reason: "The gate test failed.",
    });
    // What failed once and was fixed is no reason of a later event.
    const again = told(release({ phase: "healthy" }), release({ phase: "live", error }));
    expect(again).to.include({ type: "release.live" }).and.not.to.have.property("reason");
  });

  it("tells a rollback, a canary and its promotion from a release", () => {
    expect(told(release({ phase: "settled" }), release({ phase: "live", steps: "rollback" }))?.type).to.equal(
      "release.rolled-back",
    );
    const canary = release({ phase: "live", track: "canary" });
    expect(told(release({ phase: "healthy", track: "canary" }), canary)?.type).to.equal("canary.live");
    expect(told(canary, { ...canary, track: "production" })?.type).to.equal("canary.promoted");
  });

  it("says nothing of a baseline, which is no release of anybody's", () => {
    expect(
      told(release({ phase: "healthy", track: "baseline" }), release({ phase: "live", track: "baseline" })),
    ).to.equal(undefined);
  });

  it("tells that a canary went, or is bad and was left to people; its promotion is told elsewhere", () => {
    const canary = release({ phase: "settled", track: "canary" });
    const decide = (word: "pass" | "fail" | "hold", action: "raise" | "promote" | "abort" | "none") =>
      eventOfDecision({ at: AT, word, action, reason: "5 % of errors" }, canary, URL);
    expect(decide("fail", "abort")).to.include({ type: "canary.aborted", at: AT, reason: "5 % of errors" });
    expect(decide("fail", "none")).to.include({ type: "canary.failed", reason: "5 % of errors" });
    for (const [word, action] of [
      ["pass", "promote"],
      ["pass", "raise"],
      ["hold", "none"],
    ] as const)
      expect(decide(word, action)).to.equal(undefined);
  });
});

function told(before: ReleaseRecord | undefined, after: ReleaseRecord) {
  return eventOfRelease(before, after, { at: AT, url: URL });
}

function release(more: Partial<ReleaseRecord>): ReleaseRecord {
  return releaseRecordSchema.parse({
    v: 1,
    app: "shop",
    number: 42,
    commit: "abc",
    branch: "master",
    track: "production",
    phase: "queued",
    source: "push",
    steps: "deploy",
    by: "admin",
    at: AT,
    reachedAt: {},
    processes: [],
    instances: [],
    artifact: { kind: "tree" },
    serving: {
      sticky: false,
      listen: "port",
      drainSeconds: 1,
      standbySeconds: 1,
      sessionIdleSeconds: 1,
      memoryMegabytes: 1,
    },
    ...more,
  });
}
