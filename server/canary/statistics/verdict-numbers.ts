import { differenceInterval, wilsonInterval, type Interval } from "./interval.js";
import { countIn, quantileBucket, type Histogram } from "./quantile.js";

/** What was seen of a canary and of production over the same time. */
export interface Figures {
  readonly canary: Counts;
  readonly production: Counts;
  /** Whether `production` is all of it, or fresh instances of its release. */
  readonly against: VerdictNumbers["against"];
  /** E-values of what speaks against the canary. */
  readonly eErrors: number;
  readonly eLatency: number;
  readonly requestsInStep: { readonly canary: number; readonly production: number };
  readonly visitorsInStep: { readonly canary: number; readonly production: number };
  readonly secondsInStep: number;
}

export interface Counts extends VisitorCounts {
  readonly requests: number;
  /** 5xx, and requests without an answer; at most `requests`. */
  readonly errors: number;
  readonly histogram: Histogram;
}

/** Visitors whom chance has sent to a track, each once in a step; without a cookie each request is a visitor. */
export interface VisitorCounts {
  readonly visitors: number;
  /** Those who met an error, and those of them who met `MANY_ERRORS`. */
  readonly visitorsWithErrors: number;
  readonly visitorsWithManyErrors: number;
  /** Those who met an answer slower than the limits of `SLOW_LEVELS`. */
  readonly visitorsOverP90: number;
  readonly visitorsOverP99: number;
}

/** What a verdict was made from: plain JSON, to be shown and kept. */
export interface VerdictNumbers {
  readonly canary: TrackNumbers;
  readonly production: TrackNumbers;
  /** Whether `production` is all of it, or its baseline. */
  readonly against: "production" | "baseline";
  /** The canary's error share minus production's; 95 %. */
  readonly errorShareDifference: Interval;
  readonly eErrors: number;
  readonly eLatency: number;
  readonly requestsInStep: { readonly canary: number; readonly production: number };
  readonly visitorsInStep: { readonly canary: number; readonly production: number };
  readonly secondsInStep: number;
}

export interface TrackNumbers extends VisitorCounts {
  readonly requests: number;
  readonly errors: number;
  /** 0 to 1; null without requests. */
  readonly errorShare: number | null;
  /** 95 %. */
  readonly errorShareInterval: Interval;
  /** Requests of which the latency is known. */
  readonly answers: number;
  /** Null without answers. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** `bucketMs`: the milliseconds that a bucket of the histograms stands for. */
export function verdictNumbers(figures: Figures, bucketMs: (index: number) => number): VerdictNumbers {
  const { canary, production } = figures;
  return {
    canary: trackNumbers(canary, bucketMs),
    production: trackNumbers(production, bucketMs),
    against: figures.against,
    errorShareDifference: differenceInterval(
      { successes: canary.errors, trials: canary.requests },
      { successes: production.errors, trials: production.requests },
    ),
    eErrors: figures.eErrors,
    eLatency: figures.eLatency,
    requestsInStep: figures.requestsInStep,
    visitorsInStep: figures.visitorsInStep,
    secondsInStep: figures.secondsInStep,
  };
}

function trackNumbers(
  { requests, errors, histogram, ...visitors }: Counts,
  bucketMs: (index: number) => number,
): TrackNumbers {
  const quantileMs = (q: number): number | null => {
    const bucket = quantileBucket(histogram, q);
    return bucket === undefined ? null : bucketMs(bucket);
  };
  return {
    requests,
    errors,
    errorShare: requests === 0 ? null : errors / requests,
    errorShareInterval: wilsonInterval(errors, requests),
    answers: countIn(histogram),
    p50Ms: quantileMs(0.5),
    p99Ms: quantileMs(0.99),
    visitors: visitors.visitors,
    visitorsWithErrors: visitors.visitorsWithErrors,
    visitorsWithManyErrors: visitors.visitorsWithManyErrors,
    visitorsOverP90: visitors.visitorsOverP90,
    visitorsOverP99: visitors.visitorsOverP99,
  };
}
