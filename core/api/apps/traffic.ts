import { z } from "zod";

/** The query of `GET /apps/APP/traffic`, beside `from` and `to`. */
export const trafficStepSchema = z.object({ step: z.enum(["1", "60"]).default("60") });

const figure = z.number();

/** What visitors did; percentiles in milliseconds, null without an answer. */
const figuresSchema = z.object({
  requests: figure,
  answersOk: figure,
  answers4xx: figure,
  answers5xx: figure,
  failed: figure,
  bytes: figure,
  visitors: figure,
  goals: figure,
  p50: figure.nullable(),
  p90: figure.nullable(),
  p99: figure.nullable(),
  p999: figure.nullable(),
});
const releaseSchema = z.object({ release: z.string(), track: z.string() });
const pointSchema = figuresSchema.extend({ at: z.string() });

/** What the proxies counted, as a series for each release and track, and in all. */
export const trafficAnswerSchema = z.object({
  app: z.string(),
  /** ISO 8601 */
  from: z.string(),
  to: z.string(),
  /** Seconds. */
  step: z.number(),
  series: z.array(releaseSchema.extend({ points: z.array(pointSchema).readonly() })).readonly(),
  totals: z.array(releaseSchema.extend(figuresSchema.shape)).readonly(),
});

export type TrafficFigures = z.infer<typeof figuresSchema>;
export type TrafficAnswer = z.infer<typeof trafficAnswerSchema>;
