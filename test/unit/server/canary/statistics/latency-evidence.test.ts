import {
  bucketOf,
  bucketRange,
  BUCKETS_PER_OCTAVE,
} from "../../../../../core/records/traffic/latency-buckets.js";
import { expect } from "chai";
import fc from "fast-check";
import statistics from "jstat";
import {
  canaryThreshold,
  latencyEValue,
  noLatencyEvidence,
  withHistograms,
  type Histograms,
  type LatencyEvidence,
} from "../../../../../server/canary/statistics/latency-evidence.js";
import type { Histogram } from "../../../../../server/canary/statistics/quantile.js";

const { binomial } = statistics.jStat;
/** Three latencies are enough for a block of which all outcomes are looked at. */
const FAST = 10;
const MIDDLING = 12;
const SLOW = 15;

describe("evidence that a canary is slower", () => {
  const histogram = fc
    .array(fc.tuple(fc.integer({ min: 5, max: 25 }), fc.nat(60)), { maxLength: 6 })
    .map((entries) => new Map(entries));
  const earlierBlocks = fc.array(fc.record({ canary: histogram, production: histogram }), { maxLength: 4 });
  const shares = fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([a, b]) => [Math.min(a, b), Math.abs(a - b), 1 - Math.max(a, b)]);

  it("does not grow on average while the canary is slower by the tolerance at most, whatever came before", () => {
    const known = block(new Map(), histogramOf([60, 35, 25]));
    fc.assert(
      fc.property(
        earlierBlocks,
        shares,
        fc.integer({ min: 0, max: canaryThreshold(0, { factor: 1.25, ms: 0 }) }),
        (blocks, ofLatencies, later) => {
          const before = [known, ...blocks].reduce((evidence, each) => withBlockOf(evidence, each), NONE);
          expect(meanEValue(before, ofLatencies, later)).to.be.at.most(latencyEValue(before) * (1 + 1e-9));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("grows when the canary is slower by more than that, in the middle or at the end only", () => {
    const production = histogramOf([500, 400, 100]);
    const after = (canary: Histogram): number => latencyEValue(repeated(block(canary, production), 12));
    expect(after(histogramOf([50, 40, 10]))).to.be.below(1);
    expect(after(histogramOf([50, 40, 10], 3))).to.be.below(10);
    expect(after(histogramOf([50, 40, 10], 8))).to.be.above(100);
    expect(after(new Map([...histogramOf([50, 30, 10]), [SLOW + 8, 10]]))).to.be.above(100);
  });

  it("only learns from blocks before production had a hundred answers", () => {
    const slow = block(new Map([[40, 1000]]), new Map([[10, 99]]));
    const first = withBlockOf(NONE, slow);
    const second = withBlockOf(first, block(new Map([[40, 1000]]), new Map([[10, 1]])));
    expect([first, second].map(latencyEValue)).to.deep.equal([1, 1]);
    expect(latencyEValue(withBlockOf(second, slow))).to.be.above(2);
  });

  it("grows by a factor of 3 a block at most: what is slow together has one cause", () => {
    const production = new Map([[10, 700]]);
    const usual = block(new Map([[10, 300]]), production);
    const known = repeated(usual, 2);
    // The canary's process stood still for a whole block.
    const stall = block(new Map([[60, 300]]), production);
    expect(latencyEValue(withBlockOf(known, stall)) / latencyEValue(known)).to.be.within(2, 3 + 1e-9);
    const stalls = (times: number): number =>
      latencyEValue(
        Array<Histograms>(times)
          .fill(stall)
          .reduce((all, each) => withBlockOf(all, each), known),
      );
    expect(stalls(4)).to.be.below(100);
    expect(stalls(7)).to.be.above(100);
  });

  it("takes for slow what was slow in production before, not in the block itself", () => {
    const before = repeated(block(new Map(), new Map([[10, 1000]])), 1);
    const after = block(new Map([[12, 300]]), new Map([[5, 700]]));
    expect(latencyEValue(withBlockOf(before, after))).to.be.below(1);
  });

  it("takes a canary's answer for slow only above the tolerance, in whole buckets", () => {
    const above = (factor: number): number => canaryThreshold(100, { factor, ms: 0 }) - 100;
    expect([above(1.25), above(2), above(1)]).to.deep.equal([3, BUCKETS_PER_OCTAVE, 0]);
    const before = repeated(block(new Map(), new Map([[10, 1000]])), 1);
    const after = (bucket: number, tolerance: number): number =>
      latencyEValue(withBlockOf(before, block(new Map([[bucket, 100]]), new Map([[10, 900]])), tolerance));
    expect(after(13, 1.25)).to.be.below(1);
    expect(after(14, 1.25)).to.be.above(2);
    expect(after(18, 2)).to.be.below(1);
    expect(after(19, 2)).to.be.above(2);
  });

  it("does not mind what nobody notices: 5 ms more, however much that is beside production", () => {
    const { to } = bucketRange(10);
    expect(bucketRange(canaryThreshold(10)).to).to.be.above(to + 5000);
    expect(bucketRange(canaryThreshold(10)).from).to.be.at.most(to + 5000);
    expect(canaryThreshold(bucketOf(200_000))).to.equal(bucketOf(200_000) + 3);
  });

  it("goes on the same after it was saved", () => {
    const before = repeated(block(histogramOf([5, 4, 3]), histogramOf([50, 40, 10])), 3);
    // Redis keeps text.
    const saved = JSON.parse(JSON.stringify(before)) as LatencyEvidence;
    const next = block(histogramOf([5, 4, 3]), histogramOf([50, 40, 10]));
    expect(withBlockOf(saved, next)).to.deep.equal(withBlockOf(before, next));
  });
});

const NONE = noLatencyEvidence();

/** Over all outcomes of three answers a side, the canary's so many buckets later; exactly. */
function meanEValue(before: LatencyEvidence, shares: readonly number[], later: number): number {
  const each = outcomes(3, shares);
  let mean = 0;
  for (const canary of each)
    for (const production of each) {
      const next = block(histogramOf(canary.counts, later), histogramOf(production.counts));
      mean += canary.probability * production.probability * latencyEValue(withBlockOf(before, next));
    }
  return mean;
}

/** How many answers have each latency: a binomial, and within the rest the next. */
function outcomes(
  answers: number,
  [share = 0, ...others]: readonly number[],
): { counts: readonly number[]; probability: number }[] {
  if (others.length === 0) return [{ counts: [answers], probability: 1 }];
  const rest = 1 - share;
  const sharesOfRest = others.map((other) => (rest === 0 ? 0 : Math.min(1, other / rest)));
  return Array.from({ length: answers + 1 }, (_, count) => count).flatMap((count) =>
    outcomes(answers - count, sharesOfRest).map(({ counts, probability }) => ({
      counts: [count, ...counts],
      probability: probability * binomial.pdf(count, answers, share),
    })),
  );
}

function histogramOf(counts: readonly number[], later = 0): Histogram {
  return new Map([FAST, MIDDLING, SLOW].map((bucket, index) => [bucket + later, counts[index] ?? 0]));
}

function block(canary: Histogram, production: Histogram): Histograms {
  return { canary, production };
}

function repeated(each: Histograms, times: number): LatencyEvidence {
  return Array<Histograms>(times)
    .fill(each)
    .reduce((evidence, next) => withBlockOf(evidence, next), NONE);
}

/** Buckets are all that counts here. */
function withBlockOf(evidence: LatencyEvidence, block: Histograms, factor = 1.25): LatencyEvidence {
  return withHistograms(evidence, block, { factor, ms: 0 });
}
