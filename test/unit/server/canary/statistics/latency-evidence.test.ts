import { expect } from "chai";
import statistics from "jstat";
import type { Affected } from "../../../../../server/canary/statistics/evidence.js";
import {
  latencyEValue,
  noLatencyEvidence,
  withSlow,
  type LatencyEvidence,
} from "../../../../../server/canary/statistics/latency-evidence.js";

const { binomial } = statistics.jStat;
const CHANCE = 0.3;
const NOBODY: Affected = { canary: 0, production: 0 };

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
      expect(meanEValue(before, over90, over99)).to.be.at.most(latencyEValue(before) * (1 + 1e-9));
  });

  it("grows when visitors are slowed at one level only, and does not when they are as slow as production's", () => {
    const slowAtP99 = after(
      [
        { canary: 6, production: 14 },
        { canary: 4, production: 1 },
      ],
      150,
    );
    expect(latencyEValue(slowAtP99)).to.be.above(100);
    const alike = after(
      [
        { canary: 6, production: 14 },
        { canary: 3, production: 7 },
      ],
      150,
    );
    expect(latencyEValue(alike)).to.be.below(1);
  });

  it("grows twofold at most by ten seconds: what is slow together has one cause", () => {
    const stalled = (seconds: number): number =>
      latencyEValue(
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
      expect(latencyEValue(withSlow(noLatencyEvidence(), slow, { chance, seconds: 1 }))).to.equal(1);
  });

  it("goes on the same after it was saved, within a block too", () => {
    const slow = [{ canary: 2, production: 1 }, NOBODY];
    const before = after(slow, 7);
    // Redis keeps text.
    const saved = JSON.parse(JSON.stringify(before)) as LatencyEvidence;
    const next = (evidence: LatencyEvidence): number =>
      latencyEValue(withSlow(evidence, slow, { chance: CHANCE, seconds: 1 }));
    expect(next(saved)).to.equal(next(before));
  });
});

function after(slow: readonly Affected[], seconds: number): LatencyEvidence {
  return Array.from({ length: seconds }).reduce<LatencyEvidence>(
    (evidence) => withSlow(evidence, slow, { chance: CHANCE, seconds: 1 }),
    noLatencyEvidence(),
  );
}

/** Over all ways in which chance can divide those over p90, some of whom are over p99; exactly. */
function meanEValue(before: LatencyEvidence, over90: number, over99: number): number {
  let mean = 0;
  for (let both = 0; both <= over99; both++)
    for (let one = 0; one <= over90 - over99; one++) {
      const slow = [
        { canary: both + one, production: over90 - both - one },
        { canary: both, production: over99 - both },
      ];
      const probability = binomial.pdf(both, over99, CHANCE) * binomial.pdf(one, over90 - over99, CHANCE);
      mean += probability * latencyEValue(withSlow(before, slow, { chance: CHANCE, seconds: 1 }));
    }
  return mean;
}
