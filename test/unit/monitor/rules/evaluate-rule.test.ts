import { expect } from "chai";
import fc from "fast-check";
import {
  evaluateRule,
  type Change,
  type RuleState,
  type Threshold,
} from "../../../../monitor/rules/evaluate-rule.js";

const ABOVE_50: Threshold = { above: 50, forSeconds: 10, hysteresis: 5 };
const START = 1_800_000_000_000;

/** The changes that a row of values makes, a second apart unless said otherwise: [index of the value, change]. */
function changes(
  values: readonly number[],
  { threshold = ABOVE_50, stepsMs = [] as readonly number[] } = {},
): [number, Change][] {
  let state: RuleState | undefined;
  let at = START;
  return values.flatMap((value, index): [number, Change][] => {
    at += stepsMs[index] ?? 1000;
    const answer = evaluateRule(state, { at, value }, threshold);
    state = answer.state;
    return answer.change === undefined ? [] : [[index, answer.change]];
  });
}

const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe("a rule", () => {
  it("raises after its seconds above the limit, and resolves after as many well below", () => {
    const values = [...times(5, 20), ...times(20, 80), ...times(20, 40)];
    expect(changes(values)).to.deep.equal([
      [15, "raised"],
      [35, "resolved"],
    ]);
  });

  it("is not raised by peaks, nor resolved by lulls, that are shorter", () => {
    expect(changes([...times(10, 80), 50, ...times(10, 80), 50])).to.deep.equal([]);
    expect(changes([...times(11, 80), ...times(10, 40), 46, ...times(10, 40), 46])).to.deep.equal([
      [10, "raised"],
    ]);
  });

  it("may want a value to be above something", () => {
    const threshold = { below: 10, forSeconds: 2, hysteresis: 2 };
    expect(changes([9, 9, 9, 11, 11, 11, 12, 12, 12], { threshold })).to.deep.equal([
      [2, "raised"],
      [8, "resolved"],
    ]);
  });

  it("raises at once where it may", () => {
    const threshold = { above: 50, forSeconds: 0, hysteresis: 0 };
    expect(changes([50, 51, 50], { threshold })).to.deep.equal([
      [1, "raised"],
      [2, "resolved"],
    ]);
  });

  it("never changes within the band between the limit and its hysteresis", () => {
    const band = fc.double({ min: 45, max: 50, minExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(band, { maxLength: 60 }), fc.boolean(), (values, isRaised) => {
        const before = isRaised ? times(11, 90) : [];
        expect(changes([...before, ...values])).to.have.length(isRaised ? 1 : 0);
      }),
    );
  });

  it("changes at most once in its seconds, whatever the values and the clock do", () => {
    const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 200 });
    const stepsMs = fc.array(fc.integer({ min: -100_000_000, max: 100_000_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(values, stepsMs, (row, steps) => {
        const at = changes(row, { stepsMs: steps }).map(([index]) => index);
        // Two seconds at most are believed of each step: five values are needed for ten seconds.
        expect(at.every((index, nth) => index - (at[nth - 1] ?? -1) > 5)).to.equal(true);
      }),
    );
  });

  it("is not raised by a clock that jumps forward, nor kept from it by one that jumps back", () => {
    expect(changes([20, 80, 80], { stepsMs: [1000, 1000, 3_600_000] })).to.deep.equal([]);
    expect(changes([80, 80, 20], { stepsMs: [1000, 3_600_000, 1000] })).to.deep.equal([]);
    expect(changes(times(12, 80), { stepsMs: [1000, 1000, -3_600_000] })).to.deep.equal([[11, "raised"]]);
  });

  it("does not count the time in which nobody looked", () => {
    expect(changes([80, 80, 80], { stepsMs: [1000, 1000, 600_000] })).to.deep.equal([]);
  });

  it("does not count the same sample twice", () => {
    expect(changes(times(100, 80), { stepsMs: times(100, 0) })).to.deep.equal([]);
  });
});
