import { expect } from "chai";
import type { Event } from "../../../../core/api/events.js";
import { eventLine } from "../../../../cli/show/event-line.js";

describe("an event, for people", () => {
  const what = (event: Partial<Event>): string =>
    eventLine({
      ...{
        id: "1-0",
        at: "2026-01-31T10:00:00.000Z",
        app: "shop",
        type: "release.live",
        by: "ann",
        data: {},
      },
      ...event,
    }).replace(/ {2,}/g, " | ");

  it("says when, what and who", () => {
    const data = { commit: "abc", branch: "master", track: "production" };
    expect(what({ release: "v2", data })).to.equal(
      "2026-01-31 10:00:00 | shop | release.live v2: production (master) | ann",
    );
    expect(what({ type: "app.created" })).to.equal("2026-01-31 10:00:00 | shop | app.created | ann");
  });

  it("says what was changed", () => {
    const scale = { web: { from: 1, to: 3 }, worker: { from: 2, to: 0 } };
    expect(what({ type: "scale.changed", release: "v2", data: { scale } })).to.include(
      "scale.changed v2: web 1 → 3, worker 2 → 0",
    );
    expect(what({ type: "share.changed", release: "v2", data: { share: { from: 30, to: 5 } } })).to.include(
      "share.changed v2: 30 → 5 %",
    );
    expect(what({ type: "config.changed", data: { names: ["A", "B"] } })).to.include("config.changed: A, B");
  });

  it("says why, in a line", () => {
    const data = { track: "canary", reason: "The gate test failed.\nnot ok 1" };
    expect(what({ type: "release.failed", release: "v3", data })).to.match(
      /release\.failed v3: The gate test failed\. \| ann$/,
    );
  });
});
