import { expect } from "chai";
import { PHASES, hasReached, mayFollow } from "../../../../../core/records/releases/phase.js";

describe("phases", () => {
  it("fail only before live", () => {
    const canFail = PHASES.filter((phase) => phase !== "failed" && mayFollow(phase, "failed"));
    expect(canFail).to.deep.equal([
      "queued",
      "checked-out",
      "installed",
      "gated",
      "built",
      "started",
      "healthy",
    ]);
  });

  it("lead from queued to settled, and back to built for a rollback", () => {
    const path = [
      "queued",
      "checked-out",
      "installed",
      "gated",
      "built",
      "started",
      "healthy",
      "live",
      "settled",
      "retired",
      "built",
    ] as const;
    for (const [index, phase] of path.slice(1).entries())
      expect(mayFollow(path[index] ?? "failed", phase), phase).to.equal(true);
    expect(mayFollow("failed", "queued")).to.equal(false);
    expect(mayFollow("queued", "live")).to.equal(false);
  });

  it("count as reached in their order; a failed release has reached nothing", () => {
    expect([
      hasReached("built", "installed"),
      hasReached("built", "started"),
      hasReached("failed", "queued"),
    ]).to.deep.equal([true, false, false]);
  });
});
