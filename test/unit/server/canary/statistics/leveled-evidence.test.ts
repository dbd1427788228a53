import { expect } from "chai";
import statistics from "jstat";
import { noEvidence, type Affected } from "../../../../../server/canary/statistics/evidence.js";
import {
  ERRORS,
  LATENCY,
  type LeveledEvidence,
} from "../../../../../server/canary/statistics/leveled-evidence.js";

const { binomial } = statistics.jStat;
const CHANCE = 0.3;
const NOBODY: Affected = { canary: 0, production: 0 };
const ONE: Affected = { canary: 1, production: 0 };
const NOTHING = noEvidence();

describe("evidence that a canary fails", () => {
  it("is seen in visitors who meet error after error, though as many meet one with production", () => {
    const look = { chance: CHANCE, seconds: 1 };
    let before = ERRORS.none();
    for (let second = 0; second < 100; second++)
      before = ERRORS.with(before, [{ canary: 3, production: 7 }, second % 5 === 0 ? ONE : NOBODY], look);
    expect(ERRORS.valueOf(before)).to.be.above(100);
    const [first = NOTHING] = before.levels;
    expect(ERRORS.valueOf({ levels: [first, first] })).to.be.below(1);
  });

  it("grows twofold at most by a second, at each level", () => {
    const all = { canary: 100, production: 0 };
    const after = (seconds: number): number =>
      ERRORS.valueOf(
        Array.from({ length: seconds }).reduce<LeveledEvidence>(
          (before) => ERRORS.with(before, [all, all], { chance: CHANCE, seconds: 1 }),
          ERRORS.none(),
        ),
      );
    expect([1, 2, 3].map(after).map((value) => Number(value.toFixed(6)))).to.deep.equal([2, 4, 8]);
  });
});

describe("evidence that a canary is slower", () => {
  it("does not grow on average while each visitor who waits is the canary's by chance, though who is over p99 is over p90 too", () => {
    const before = after(
      [
        { canary: 3, production: 1 },
        { canary: 1, production: 2 },
      ],
      3,
    );
    for (const [over90, over99] of [
      [1, 0],
      [3, 1],
      [6, 4],
      [5, 5],
    ] as const)
      expect(meanEValue(before, over90, over99)).to.be.at.most(LATENCY.valueOf(before) * (1 + 1e-9));
  });

  it("grows when visitors are slowed at one level only, and does not when they are as slow as production's", () => {
    const slowAtP99 = after(
      [
        { canary: 6, production: 14 },
        { canary: 4, production: 1 },
      ],
      150,
    );
    expect(LATENCY.valueOf(slowAtP99)).to.be.above(100);
    const alike = after(
      [
        { canary: 6, production: 14 },
        { canary: 3, production: 7 },
      ],
      150,
    );
    expect(LATENCY.valueOf(alike)).to.be.below(1);
  });

  it("grows twofold at most by ten seconds: what is slow together has one cause", () => {
    const stalled = (seconds: number): number =>
      LATENCY.valueOf(
        after(
          [
            { canary: 100, production: 0 },
            { canary: 100, production: 0 },
          ],
          seconds,
        ),
      );
    expect([1, 10, 11, 20].map(stalled).map((value) => Number(value.toFixed(6)))).to.deep.equal([2, 2, 4, 4]);
    expect(stalled(60)).to.be.below(100);
    expect(stalled(61)).to.be.above(100);
  });

  it("says nothing where chance divides nobody", () => {
    const slow = [{ canary: 9, production: 0 }, NOBODY];
    for (const chance of [0, 1])
      expect(LATENCY.valueOf(LATENCY.with(LATENCY.none(), slow, { chance, seconds: 1 }))).to.equal(1);
  });

  it("goes on the same after it was saved, within a block too", () => {
    const slow = [{ canary: 2, production: 1 }, NOBODY];
    const before = after(slow, 7);
    // Redis keeps text.
    const saved = JSON.parse(JSON.stringify(before)) as LeveledEvidence;
    const next = (evidence: LeveledEvidence): number =>
      LATENCY.valueOf(LATENCY.with(evidence, slow, { chance: CHANCE, seconds: 1 }));
    expect(next(saved)).to.equal(next(before));
  });
});

function after(slow: readonly Affected[], seconds: number): LeveledEvidence {
  return Array.from({ length: seconds }).reduce<LeveledEvidence>(
    (evidence) => LATENCY.with(evidence, slow, { chance: CHANCE, seconds: 1 }),
    LATENCY.none(),
  );
}

/** Over all ways in which chance can divide those over p90, some of whom are over p99; exactly. */
function meanEValue(before: LeveledEvidence, over90: number, over99: number): number {
  let mean = 0;
  for (let both = 0; both <= over99; both++)
    for (let one = 0; one <= over90 - over99; one++) {
      const slow = [
        { canary: both + one, production: over90 - both - one },
        { canary: both, production: over99 - both },
      ];
      const probability = binomial.pdf(both, over99, CHANCE) * binomial.pdf(one, over90 - over99, CHANCE);
      mean += probability * LATENCY.valueOf(LATENCY.with(before, slow, { chance: CHANCE, seconds: 1 }));
    }
  return mean;
}
