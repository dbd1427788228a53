import { expect } from "chai";
import type { Phase } from "../../../../core/records/releases/phase.js";
import type { ReleaseRecord } from "../../../../core/records/releases/release-record.js";
import { emptyRouteTable, type RouteTable } from "../../../../core/records/routes/route-table.js";
import { keptReleases } from "../../../../server/pipeline/prune.js";

describe("pruning", () => {
  it("keeps the last few that served, what runs, and what is being made", () => {
    const phases: Phase[] = [
      "installed",
      "settled",
      "failed",
      "retired",
      "retired",
      "retired",
      "retired",
      "settled",
    ];
    const records = phases.map((phase, index) => recordOf(phases.length - index, phase));
    expect([...keptReleases(records, tableOf([1]), 3)].sort()).to.deep.equal([1, 4, 5, 7, 8]);
  });

  it("keeps production's, however many previews came after them", () => {
    const previews = [9, 8, 7, 6].map((number) => recordOf(number, "retired", "feature"));
    const production = [3, 2, 1].map((number) => recordOf(number, "retired"));
    const kept = keptReleases([...previews, ...production], tableOf([9]), 2);
    expect([...kept].sort()).to.deep.equal([2, 3, 9]);
  });

  it("keeps the one that a rollback goes back to, however many came after it and were taken back", () => {
    const records = [9, 8, 7, 6, 5, 4, 3, 2, 1].map((number) => recordOf(number, "retired"));
    expect([...keptReleases(records, tableOf([9], [1, 2, 9]), 3)].sort()).to.deep.equal([2, 8, 9]);
  });

  function tableOf(numbers: number[], history: number[] = []): RouteTable {
    const releases = numbers.map((number) => ({ number }) as RouteTable["releases"][number]);
    return { ...emptyRouteTable("a"), releases, history };
  }

  function recordOf(number: number, phase: Phase, track = "production"): ReleaseRecord {
    return { number, phase, track } as ReleaseRecord;
  }
});
