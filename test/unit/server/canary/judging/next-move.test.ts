import { expect } from "chai";
import {
  canarySettingsSchema,
  type CanarySettings,
} from "../../../../../core/records/releases/canary-settings.js";
import { newCanary, type Decision } from "../../../../../server/canary/canary-record.js";
import { nextMove, withDecision, type CanaryMove } from "../../../../../server/canary/judging/next-move.js";

describe("what a verdict on a canary leads to", () => {
  const settings = (more: Partial<CanarySettings> = {}): CanarySettings => ({
    ...canarySettingsSchema.parse({}),
    ...more,
  });
  const move = (
    word: "pass" | "fail" | "hold",
    more: Partial<CanarySettings> = {},
    { step = 0, isManual = false } = {},
  ): CanaryMove => nextMove({ word }, { step }, settings(more), { isManual });

  it("is the next step, then what the settings say", () => {
    const steps = [5, 20];
    expect(move("pass", { steps })).to.deep.equal({ action: "raise", step: 1, share: 20 });
    expect(move("pass", { steps }, { step: 1 })).to.deep.equal({ action: "none" });
    expect(move("pass", { steps, onPass: "promote" }, { step: 1 })).to.deep.equal({ action: "promote" });
    expect(move("pass", { onPass: "promote" })).to.deep.equal({ action: "promote" });
  });

  it("is an abort of a bad one, unless people are to decide", () => {
    expect(move("fail")).to.deep.equal({ action: "abort" });
    expect(move("fail", { onFail: "hold" })).to.deep.equal({ action: "none" });
    expect(move("fail", {}, { isManual: true })).to.deep.equal({ action: "abort" });
  });

  it("is nothing for a hold, an A/B test, or a good one whose share an admin chose", () => {
    const onPass = "promote" as const;
    expect(move("hold", { onPass })).to.deep.equal({ action: "none" });
    for (const word of ["pass", "fail"] as const)
      expect(move(word, { onPass, goal: { path: "/thanks" } })).to.deep.equal({ action: "none" });
    expect(move("pass", { onPass, steps: [1, 2] }, { isManual: true })).to.deep.equal({ action: "none" });
  });

  it("is kept when the word changes or something is done; the last verdict always", () => {
    const decision = (word: Decision["word"], action: Decision["action"], reason: string): Decision => ({
      at: "2026-01-01T00:00:00.000Z",
      word,
      action,
      reason,
      share: 30,
      numbers: {},
    });
    const all = [
      decision("hold", "none", "a"),
      decision("hold", "none", "b"),
      decision("pass", "raise", "c"),
      decision("pass", "promote", "d"),
    ];
    const record = all.reduce(withDecision, newCanary("shop", 2, 0));
    expect(record.decisions.map(({ reason }) => reason)).to.deep.equal(["a", "c", "d"]);
    expect(record.verdict?.reason).to.equal("d");
  });
});
