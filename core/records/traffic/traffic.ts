import { z } from "zod";
import { bucketMs } from "./latency-buckets.js";

/** An error or two are an accident; a visitor who has met so many is one for whom it fails. */
export const MANY_ERRORS = 3;

const countSchema = z.number().int().nonnegative();

/** What visitors did in some time. */
export const trafficSchema = z.object({
  /** Begun; one that is not answered yet is in none of the following. */
  requests: countSchema,
  /** Answers below 400. */
  answersOk: countSchema,
  answers4xx: countSchema,
  answers5xx: countSchema,
  /** No instance answered: refused, broken off, too slow. */
  failed: countSchema,
  /** Sent to visitors. */
  bytes: countSchema,
  /** Who came for the first time, and who reached the goal for the first time, where visitors get a cookie. */
  visitors: countSchema,
  goals: countSchema,
  /**
   * Visitors whom chance sent to the canary or to what it is compared with, who met an error, their third
   * one (`MANY_ERRORS`), or an answer slower than the limits that the table names (`slow`), for the first time in this step.
   */
  visitorsWithErrors: countSchema.default(0),
  visitorsWithManyErrors: countSchema.default(0),
  visitorsOverP90: countSchema.default(0),
  visitorsOverP99: countSchema.default(0),
  /** Bucket of `latency-buckets.ts` → answers. */
  latencies: z.record(z.string().regex(/^\d+$/), countSchema),
});

export type Traffic = z.infer<typeof trafficSchema>;

export const FIGURES = [
  "requests",
  "answersOk",
  "answers4xx",
  "answers5xx",
  "failed",
  "bytes",
  "visitors",
  "goals",
  "visitorsWithErrors",
  "visitorsWithManyErrors",
  "visitorsOverP90",
  "visitorsOverP99",
] as const;

export function sumOf(parts: Iterable<Traffic>): Traffic {
  const sum = noTraffic();
  for (const part of parts) {
    for (const figure of FIGURES) sum[figure] += part[figure];
    for (const [bucket, answers] of Object.entries(part.latencies))
      sum.latencies[bucket] = (sum.latencies[bucket] ?? 0) + answers;
  }
  return sum;
}

export function noTraffic(): Traffic {
  return {
    requests: 0,
    answersOk: 0,
    answers4xx: 0,
    answers5xx: 0,
    failed: 0,
    bytes: 0,
    visitors: 0,
    goals: 0,
    visitorsWithErrors: 0,
    visitorsWithManyErrors: 0,
    visitorsOverP90: 0,
    visitorsOverP99: 0,
    latencies: {},
  };
}

/** The latency in ms that a share `q` (0 to 1) of the answers did not exceed; undefined when there was none. */
export function percentileMs({ latencies }: Traffic, q: number): number | undefined {
  const buckets = Object.entries(latencies)
    .map(([bucket, answers]) => [Number(bucket), answers] as const)
    .sort(([a], [b]) => a - b);
  const rank = Math.max(1, Math.ceil(q * buckets.reduce((sum, [, answers]) => sum + answers, 0)));
  let counted = 0;
  for (const [bucket, answers] of buckets) {
    counted += answers;
    if (counted >= rank) return bucketMs(bucket);
  }
  return undefined;
}
