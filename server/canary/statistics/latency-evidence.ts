import { bucketOf, bucketRange, BUCKETS_PER_OCTAVE } from "../../../core/records/traffic/latency-buckets.js";
import { eValue, noEvidence, withCappedBlock, type Evidence, type Tally } from "./evidence.js";
import { countIn, quantileBucket, type Histogram } from "./quantile.js";

/**
 * What speaks against "the canary is not slower than production, a tolerance aside". For each of a few quantiles of
 * production so far, a slow answer is a bad one: the share of them is compared as in `Evidence`. Plain JSON.
 */
export interface LatencyEvidence {
  /** Production's answers in the blocks so far. */
  readonly production: readonly (readonly [bucket: number, count: number])[];
  readonly quantiles: readonly QuantileEvidence[];
}

export interface QuantileEvidence {
  readonly q: number;
  readonly evidence: Evidence;
}

export interface Histograms {
  readonly canary: Histogram;
  readonly production: Histogram;
}

const QUANTILES = [0.5, 0.9, 0.99];
/** With fewer the quantiles of production are not known; until then blocks only inform. */
const LEAST_ANSWERS = 100;
/**
 * Answers that are slow together have one cause: a process that stood still for a moment (its garbage, a busy machine). So
 * a block raises the evidence at most by this, however many they are: it takes five blocks to get to 100.
 */
const MOST_PER_BLOCK = 3;
/** How much slower a canary may be. */
export interface Tolerance {
  /** Rounded up to whole buckets. */
  readonly factor: number;
  readonly ms: number;
}

/** It has cold caches and fewer instances; and what nobody notices is no reason, however certain. */
const TOLERANCE: Tolerance = { factor: 1.25, ms: 5 };

export function noLatencyEvidence(): LatencyEvidence {
  return { production: [], quantiles: QUANTILES.map((q) => ({ q, evidence: noEvidence(1 - q) })) };
}

/** For `WindowedEvidence`: production's quantiles are known by then. */
export const LATENCY = {
  valueOf: latencyEValue,
  again: ({ production }: LatencyEvidence): LatencyEvidence => ({ ...noLatencyEvidence(), production }),
};

export function withHistograms(
  { production, quantiles }: LatencyEvidence,
  block: Histograms,
  tolerance = TOLERANCE,
): LatencyEvidence {
  const earlier = new Map(production);
  return {
    production: [...together(earlier, block.production)],
    quantiles:
      countIn(earlier) < LEAST_ANSWERS
        ? quantiles
        : quantiles.map(({ q, evidence }) => {
            const threshold = quantileBucket(earlier, q) ?? 0;
            return {
              q,
              evidence: withCappedBlock(
                evidence,
                {
                  canary: slowerThan(block.canary, canaryThreshold(threshold, tolerance)),
                  production: slowerThan(block.production, threshold),
                },
                MOST_PER_BLOCK,
              ),
            };
          }),
  };
}

/** The mean over the quantiles: a mean of e-values is one, however they depend on each other. */
export function latencyEValue({ quantiles }: LatencyEvidence): number {
  return quantiles.reduce((sum, { evidence }) => sum + eValue(evidence) / quantiles.length, 0);
}

/** The slowest bucket of the canary's that is as good as this one of production. */
export function canaryThreshold(threshold: number, { factor, ms }: Tolerance = TOLERANCE): number {
  const byFactor = threshold + Math.ceil(BUCKETS_PER_OCTAVE * Math.log2(factor));
  return ms === 0 ? byFactor : Math.max(byFactor, bucketOf(bucketRange(threshold).to + ms * 1000));
}

function slowerThan(histogram: Histogram, threshold: number): Tally {
  let bad = 0;
  for (const [bucket, count] of histogram) if (bucket > threshold) bad += count;
  return { bad, all: countIn(histogram) };
}

function together(a: Histogram, b: Histogram): Histogram {
  const sum = new Map(a);
  for (const [bucket, count] of b) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  return sum;
}
