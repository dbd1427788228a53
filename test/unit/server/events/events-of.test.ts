import { expect } from "chai";
import type { ReleaseProcess } from "../../../../core/records/releases/release-process.js";
import type { ReleaseRecord } from "../../../../core/records/releases/release-record.js";
import { releaseRecordSchema } from "../../../../core/records/releases/release-record.js";
import { eventsOfDecision, eventsOfDeparture, eventsOfRelease } from "../../../../server/events/events-of.js";

const AT = "2026-01-31T10:00:00.000Z";

describe("what a change means as an event", () => {
  it("is that a release goes live, once", () => {
    expect(told(release({ phase: "healthy" }), release({ phase: "live" }))).to.deep.equal({
      type: "release.live",
      app: "shop",
      release: "v42",
      by: "me",
      data: { commit: "abc", branch: "master", track: "production", hasUrl: true },
    });
    expect(told(release({ phase: "live" }), release({ phase: "live" }))).to.equal(undefined);
    expect(told(release({ phase: "live" }), release({ phase: "settled" }))).to.equal(undefined);
  });

  it("is that a release begins and ends", () => {
    expect(told(undefined, release({ phase: "queued" }))).to.include({ type: "release.queued", by: "me" });
    expect(told(release({ phase: "queued" }), release({ phase: "queued" }))).to.equal(undefined);
    const retired = told(release({ phase: "settled" }), release({ phase: "retired" }));
    expect(retired).to.include({ type: "release.retired", by: "sluice" });
    // It was retired, and a rollback did not bring it back.
    const undone = release({ phase: "retired", steps: "rollback" });
    expect(told(release({ phase: "healthy", steps: "rollback" }), undone)).to.equal(undefined);
  });

  it("says why a release failed", () => {
    const error = { code: "gate-failed", message: "The gate test failed.", hint: "Fix it." };
    const failed = told(release({ phase: "installed" }), release({ phase: "failed", error }));
    expect(failed).to.include({ type: "release.failed" });
    expect(failed?.data.reason).to.equal("The gate test failed.");
    // What failed once and was fixed is no reason of a later event.
    const again = told(release({ phase: "healthy" }), release({ phase: "live", error }));
    expect(again).to.include({ type: "release.live" });
    expect(again?.data).not.to.have.property("reason");
  });

  it("tells a rollback, a canary and its promotion from a release, and names who asked for it", () => {
    const back = release({ phase: "live", steps: "rollback", movedBy: "ann" });
    expect(told(release({ phase: "healthy" }), back)).to.include({ type: "release.rolled-back", by: "ann" });
    const canary = release({ phase: "live", track: "canary" });
    expect(told(release({ phase: "healthy", track: "canary" }), canary)).to.include({
      ...{ type: "canary.live", by: "me" },
    });
    const promoted = { ...canary, track: "production", steps: "promotion" as const };
    expect(told(canary, promoted)).to.include({ type: "canary.promoted", by: "sluice" });
    expect(told(promoted, promoted)).to.equal(undefined);
  });

  it("is another size, of a release that serves", () => {
    const before = release({ phase: "settled", processes: sizes({ web: 1, worker: 1 }) });
    const after = { ...before, processes: sizes({ web: 3, worker: 1 }) };
    const [scaled] = eventsOfRelease(before, after, { by: "ann" });
    expect(scaled).to.include({ type: "scale.changed", by: "ann" });
    expect(scaled?.data.scale).to.deep.equal({ web: { from: 1, to: 3 } });
    expect(eventsOfRelease(after, after, { by: "ann" })).to.deep.equal([]);
    expect(told({ ...before, phase: "built" }, { ...after, phase: "built" })).to.equal(undefined);
  });

  it("says whether the track has a URL", () => {
    const worker = release({ phase: "live", processes: sizes({ web: 0, worker: 1 }) });
    expect(told(release({ phase: "healthy" }), worker)?.data.hasUrl).to.equal(false);
  });

  it("is nothing of a baseline, which is no release of anybody's", () => {
    const baseline = release({ phase: "live", track: "baseline" });
    expect(told({ ...baseline, phase: "healthy" }, baseline)).to.equal(undefined);
    expect(told(undefined, { ...baseline, phase: "queued" })).to.equal(undefined);
  });

  it("is that a bad canary was left to people; what is done about it is told when it is done", () => {
    const canary = release({ phase: "settled", track: "canary" });
    const decide = (word: "pass" | "fail" | "hold", action: "raise" | "promote" | "abort" | "none") =>
      eventsOfDecision({ word, action, reason: "5 % of errors" }, canary)[0];
    expect(decide("fail", "none")).to.include({ type: "canary.failed", by: "sluice" });
    expect(decide("fail", "none")?.data.reason).to.equal("5 % of errors");
    for (const [word, action] of [
      ["fail", "abort"],
      ["pass", "promote"],
      ["pass", "raise"],
      ["hold", "none"],
    ] as const)
      expect(decide(word, action)).to.equal(undefined);
  });

  it("is that a canary has lost its track, and nothing of a preview", () => {
    const cause = { by: "ann", reason: "Aborted by hand (ann)." };
    const [aborted] = eventsOfDeparture(release({ phase: "settled", track: "canary" }), cause);
    expect(aborted).to.include({ type: "canary.aborted", release: "v42", by: "ann" });
    expect(aborted?.data.reason).to.equal(cause.reason);
    expect(eventsOfDeparture(release({ phase: "settled", track: "topic" }), cause)).to.deep.equal([]);
  });
});

function told(before: ReleaseRecord | undefined, after: ReleaseRecord) {
  return eventsOfRelease(before, after)[0];
}

function sizes(wanted: Readonly<Record<string, number>>): ReleaseProcess[] {
  return Object.entries(wanted).map(([name, quantity]) => ({ name, command: "x", quantity }));
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
    by: "me",
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
