import { expect } from "chai";
import type { Phase } from "../../../core/records/phase.js";
import type { ReleaseRecord } from "../../../core/records/release-record.js";
import { keptReleases } from "../../../server/pipeline/prune.js";

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
    const records = phases.map((phase, index) => ({ number: phases.length - index, phase }) as ReleaseRecord);
    expect([...keptReleases(records, new Set([1]), 3)].sort()).to.deep.equal([1, 4, 5, 7, 8]);
  });
});
