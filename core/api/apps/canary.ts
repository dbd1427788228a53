import { z } from "zod";
import { percentSchema } from "../../records/releases/canary-settings.js";
import { pendingSchema } from "../pending.js";

const intervalSchema = z.object({ low: z.number(), high: z.number() });
/** JSON has no number for what is beyond the largest. */
const eValueSchema = z.number().nullable();

const trackNumbersSchema = z.object({
  requests: z.number(),
  errors: z.number(),
  /** 0 to 1; null without requests. */
  errorShare: z.number().nullable(),
  /** 95 %. */
  errorShareInterval: intervalSchema,
  /** Requests of which the latency is known. */
  answers: z.number(),
  /** Null without answers. */
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  /**
   * Visitors whom chance has sent there, each once in a step; those who met an error, and those who met three; those who met an
   * answer slower than 90 and 99 of 100 of production's, a tolerance aside.
   */
  visitors: z.number(),
  visitorsWithErrors: z.number(),
  visitorsWithManyErrors: z.number(),
  visitorsOverP90: z.number(),
  visitorsOverP99: z.number(),
});

/** What a verdict was made from. */
const verdictNumbersSchema = z.object({
  canary: trackNumbersSchema,
  production: trackNumbersSchema,
  /** Whether `production` is all of it, or its baseline. */
  against: z.enum(["production", "baseline"]),
  /** The canary's error share minus production's; 95 %. */
  errorShareDifference: intervalSchema,
  eErrors: eValueSchema,
  eLatency: eValueSchema,
  requestsInStep: z.object({ canary: z.number(), production: z.number() }),
  visitorsInStep: z.object({ canary: z.number(), production: z.number() }),
  secondsInStep: z.number(),
});

const decisionSchema = z.object({
  /** ISO 8601 */
  at: z.string(),
  word: z.enum(["pass", "fail", "hold"]),
  reason: z.string(),
  /** What was done: the share was raised, the canary promoted, aborted, or left as it is for a person. */
  action: z.enum(["raise", "promote", "abort", "none"]),
  /** Percent of the visitors before it. */
  share: z.number(),
  /** As they were then; an earlier version of the server may have kept others. */
  numbers: z.unknown(),
});

const conversionSchema = z.object({
  visitors: z.number(),
  reached: z.number(),
  /** 0 to 1; null without visitors. */
  share: z.number().nullable(),
  /** 95 %. */
  interval: intervalSchema,
});

const goalSummarySchema = z.object({
  path: z.string(),
  canary: conversionSchema,
  production: conversionSchema,
  /** The canary's share minus production's; 95 %. */
  difference: intervalSchema,
});

/** `GET /apps/APP/canary`: the canary of now, or the last one. */
export const canarySummarySchema = z.object({
  app: z.string(),
  release: z.string(),
  /** ISO 8601 */
  startedAt: z.string(),
  /** `live` while it takes visitors; else what became of it. */
  state: z.enum(["live", "promoted", "aborted", "replaced"]),
  /** Percent of the visitors, and whether an admin chose it. */
  share: z.number(),
  isByHand: z.boolean(),
  /** From 1 on; of so many. */
  step: z.number(),
  steps: z.number(),
  verdict: decisionSchema.extend({ numbers: verdictNumbersSchema }).nullable(),
  /** Oldest first. */
  decisions: z.array(decisionSchema).readonly(),
  /** An A/B test; null without a goal. */
  goal: goalSummarySchema.nullable(),
});

/** The answer to `POST /apps/APP/abort`. */
export const abortedCanarySchema = z.object({ app: z.string(), release: z.string() });

/** `PUT /apps/APP/weight` */
export const weightRequestSchema = z.strictObject({ percent: percentSchema });

export const weightSchema = z.object({
  app: z.string(),
  percent: z.number(),
  /** While `sluice:alert` is yes no canary gets visitors. */
  alert: z.boolean(),
  pending: pendingSchema.nullable(),
});

export type ShownNumbers = z.infer<typeof verdictNumbersSchema>;
export type Conversion = z.infer<typeof conversionSchema>;
export type GoalSummary = z.infer<typeof goalSummarySchema>;
export type CanarySummary = z.infer<typeof canarySummarySchema>;
export type AbortedCanary = z.infer<typeof abortedCanarySchema>;
export type WeightRequest = z.infer<typeof weightRequestSchema>;
export type Weight = z.infer<typeof weightSchema>;
