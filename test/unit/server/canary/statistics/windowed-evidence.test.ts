import { expect } from "chai";
import fc from "fast-check";
import {
  ERRORS,
  noEvidence,
  withBlock,
  type Block,
} from "../../../../../server/canary/statistics/evidence.js";
import {
  windowedFrom,
  windowedValue,
  withNext,
  type WindowedEvidence,
} from "../../../../../server/canary/statistics/windowed-evidence.js";
import type { Evidence } from "../../../../../server/canary/statistics/evidence.js";

const GOOD: Block = { canary: { bad: 1, all: 200 }, production: { bad: 2, all: 400 } };
const BAD: Block = { canary: { bad: 8, all: 200 }, production: { bad: 2, all: 400 } };

describe("evidence that is renewed", () => {
  const after = (
    evidence: WindowedEvidence<Evidence>,
    block: Block,
    { seconds = 60 }: { seconds?: number } = {},
  ): WindowedEvidence<Evidence> =>
    withNext(evidence, (before) => withBlock(before, block), { seconds, requests: block.canary.all }, ERRORS);
  const times = (
    evidence: WindowedEvidence<Evidence>,
    count: number,
    block: Block,
  ): WindowedEvidence<Evidence> =>
    Array.from({ length: count }).reduce<WindowedEvidence<Evidence>>(
      (before) => after(before, block),
      evidence,
    );
  /** Blocks of 200 requests until it speaks at 100 to 1. */
  const blocksUntilClear = (
    evidence: WindowedEvidence<Evidence>,
    valueOf: (now: WindowedEvidence<Evidence>) => number,
  ): number => {
    let now = evidence;
    for (let blocks = 0; blocks < 5000; blocks++) {
      if (valueOf(now) >= 100) return blocks;
      now = after(now, BAD);
    }
    return Infinity;
  };
  const value = (evidence: WindowedEvidence<Evidence>): number => windowedValue(evidence, ERRORS);

  it("says nothing at first", () => {
    expect(value(windowedFrom(noEvidence()))).to.be.at.most(1);
  });

  it("sees a canary that turns bad after a day of being good soon, as the evidence of all of it does not", () => {
    const fresh = blocksUntilClear(windowedFrom(noEvidence()), value);
    const day = times(windowedFrom(noEvidence()), 1440, GOOD);
    expect(day.window.index).to.be.above(100);
    const late = blocksUntilClear(day, value);
    expect(late).to.be.at.most(4 * fresh);
    expect(blocksUntilClear(day, ({ whole }) => ERRORS.valueOf(whole))).to.be.above(10 * late);
  });

  it("ends a window after its time only, and when it has seen enough", () => {
    expect(times(windowedFrom(noEvidence()), 10, GOOD).window.index).to.equal(1);
    expect(times(windowedFrom(noEvidence()), 11, GOOD).window.index).to.equal(2);
    const few: Block = { canary: { bad: 0, all: 1 }, production: { bad: 0, all: 2 } };
    expect(times(windowedFrom(noEvidence()), 100, few).window.index).to.equal(1);
  });

  it("is a mean of its parts: never above the best, and its weights never above 1, whatever comes", () => {
    const share = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(share, fc.integer({ min: 1, max: 700 })), { maxLength: 40 }),
        (blocks) => {
          let now = windowedFrom(noEvidence());
          const weights: number[] = [];
          for (const [bad, seconds] of blocks) {
            const index = now.window.index;
            now = after(now, { canary: { bad, all: 200 }, production: { bad: 10, all: 200 } }, { seconds });
            if (now.window.index > index) weights.push(1 / (index * (index + 1)));
            expect(value(now)).to.be.at.least(ERRORS.valueOf(now.whole) / 2);
          }
          expect(weights.reduce((sum, weight) => sum + weight, 0)).to.be.below(1);
        },
      ),
    );
  });

  it("is plain JSON", () => {
    const seen = times(windowedFrom(noEvidence()), 30, BAD);
    expect(JSON.parse(JSON.stringify(seen))).to.deep.equal(seen);
  });
});
