import { bucketOf } from "../../../core/records/traffic/latency-buckets.js";
import { normalQuantile } from "../../../server/canary/statistics/interval.js";

/** What a release does, whoever asks it. Shares are 0 to 1. */
export interface Release {
  /** Of all requests. */
  readonly errorShare: number;
  /** Of the pages, all requests of which fail. Each request is for any page. */
  readonly failingPages: number;
  /** Of the visitors, all requests of whom fail. */
  readonly failingVisitors: number;
  /** After so many requests of a visitor all others fail. */
  readonly failsAfter: number;
  /** Of the pages, those that are five times as slow. */
  readonly slowPages: number;
  /** A factor of all latencies. */
  readonly slowness: number;
  /** Of the logarithm of the latencies, whose median is `MEDIAN_MS`. */
  readonly sigma: number;
}

export const MEDIAN_MS = 20;
const SIGMA = 0.5;
const SLOW_PAGE = 5;

export const GOOD: Release = {
  errorShare: 0.005,
  failingPages: 0,
  failingVisitors: 0,
  failsAfter: Infinity,
  slowPages: 0,
  slowness: 1,
  sigma: SIGMA,
};

/** The same median, and twice the p99. */
export const DOUBLED_P99_SIGMA = SIGMA + Math.LN2 / normalQuantile(0.99);

/** Of a request for this page (0 to 1), beside everything else. */
export function slownessOf({ slowness, slowPages }: Release, page: number): number {
  // Not those that fail.
  return page >= 1 - slowPages ? SLOW_PAGE * slowness : slowness;
}

/** Latencies of a release, each as often as it is likely. */
export interface Latencies {
  readonly microseconds: Float64Array;
  /** Of each of them (`latency-buckets.ts`). */
  readonly buckets: Uint8Array;
}

export const LATENCIES = 2 ** 16;
const known = new Map<number, Latencies>();

export function latenciesOf({ sigma }: Release): Latencies {
  const latencies = known.get(sigma) ?? logNormal(sigma);
  known.set(sigma, latencies);
  return latencies;
}

function logNormal(sigma: number): Latencies {
  const microseconds = Float64Array.from(
    { length: LATENCIES },
    (_, index) => 1000 * MEDIAN_MS * Math.exp(sigma * normalQuantile((index + 0.5) / LATENCIES)),
  );
  return { microseconds, buckets: Uint8Array.from(microseconds, bucketOf) };
}
