import { bucketOf, bucketRange, BUCKETS_PER_OCTAVE } from "../../../core/records/traffic/latency-buckets.js";
import { countIn, quantileBucket, type Histogram } from "./quantile.js";

/** Which answers are slow: those that only so many of production's are slower than. */
export const SLOW_LEVELS = [0.9, 0.99] as const;

/** For each of `SLOW_LEVELS` the slowest bucket (`latency-buckets.ts`) that is not slow yet. */
export interface SlowLimits {
  readonly production: readonly number[];
  /** With the tolerance. */
  readonly canary: readonly number[];
}

/** How much slower a canary may be. */
export interface Tolerance {
  /** Rounded up to whole buckets. */
  readonly factor: number;
  readonly ms: number;
}

/** It has cold caches and fewer instances; and what nobody notices is no reason, however certain. */
const TOLERANCE: Tolerance = { factor: 1.25, ms: 5 };
/** With fewer, production's quantiles are not known. */
const LEAST_ANSWERS = 100;

/** Undefined while production had too few answers. What comes later is measured by them, so that it cannot choose them. */
export function slowLimits(production: Histogram): SlowLimits | undefined {
  if (countIn(production) < LEAST_ANSWERS) return undefined;
  const limits = SLOW_LEVELS.map((q) => quantileBucket(production, q) ?? 0);
  return { production: limits, canary: limits.map((limit) => tolerated(limit)) };
}

/** The slowest bucket of the canary's that is as good as this one of production. */
export function tolerated(bucket: number, { factor, ms }: Tolerance = TOLERANCE): number {
  const byFactor = bucket + Math.ceil(BUCKETS_PER_OCTAVE * Math.log2(factor));
  return ms === 0 ? byFactor : Math.max(byFactor, bucketOf(bucketRange(bucket).to + ms * 1000));
}
