import { z } from "zod";
import { noEvidence } from "./statistics/evidence.js";
import { noLatencyEvidence } from "./statistics/latency-evidence.js";
import { windowedFrom } from "./statistics/windowed-evidence.js";

const tallySchema = z.object({ bad: z.number(), all: z.number() });
const evidenceSchema = z.object({
  production: tallySchema,
  alternatives: z.array(z.object({ oddsRatio: z.number(), logE: z.number() })),
});
const histogramSchema = z.array(z.tuple([z.number(), z.number()]));

const countsSchema = z.object({
  /** That have ended; the errors (5xx, or no answer) are among them. */
  requests: z.number(),
  errors: z.number(),
  /** Visitors who were given a cookie on this track, and those of them who reached the goal. */
  visitors: z.number(),
  goals: z.number(),
  /** Latency: bucket and answers. */
  histogram: histogramSchema,
});

export const decisionSchema = z.object({
  /** ISO 8601 */
  at: z.string(),
  word: z.enum(["pass", "fail", "hold"]),
  reason: z.string(),
  /** What was done: the share was raised, the canary promoted, aborted, or left as it is for a person. */
  action: z.enum(["raise", "promote", "abort", "none"]),
  /** Percent of the visitors before it. */
  share: z.number(),
  /** `VerdictNumbers`, as they were. */
  numbers: z.unknown(),
});

/** As `WindowedEvidence`. */
const renewed = <Shape extends z.ZodType>(evidence: Shape) =>
  z.object({
    whole: evidence,
    window: z.object({ evidence, index: z.number(), seconds: z.number(), requests: z.number() }),
    ended: z.number(),
  });

/** How one release does as the canary: everything its verdict is made from, so that a server that comes back goes on with it. */
export const canaryRecordSchema = z.object({
  v: z.literal(1),
  app: z.string(),
  release: z.number().int().positive(),
  /** ISO 8601 */
  startedAt: z.string(),
  /** Index into the settings' `steps`. */
  step: z.number().int().nonnegative(),
  /** Seconds that this step has lasted, those in which no visitor was sent to it not counted. */
  secondsInStep: z.number(),
  /** Requests since the step began. */
  inStep: z.object({ canary: z.number(), production: z.number() }).default({ canary: 0, production: 0 }),
  /** Production's release when it began; null: there was none. */
  beside: z.number().nullable().optional(),
  /** When it was looked at last, ms since 1970. */
  lookedAt: z.number(),
  /** How far the traffic series were read. */
  cursor: z.string(),
  canary: countsSchema,
  production: countsSchema,
  /** What speaks against it since this step began. */
  errors: renewed(evidenceSchema),
  latency: renewed(
    z.object({
      production: histogramSchema,
      quantiles: z.array(z.object({ q: z.number(), evidence: evidenceSchema })),
    }),
  ),
  /** The last promotion was tried so many times in vain; the next try is due then (ms since 1970). */
  failedPromotion: z.object({ times: z.number(), retryAt: z.number(), reason: z.string() }).optional(),
  /** The last verdict that was the same as the one before is not in `decisions`. */
  verdict: decisionSchema.optional(),
  /** Oldest first. */
  decisions: z.array(decisionSchema),
  /** `promoted`, `aborted`, or `replaced` when it was pushed over or taken away. */
  outcome: z.enum(["promoted", "aborted", "replaced"]).optional(),
});

export type CanaryRecord = z.infer<typeof canaryRecordSchema>;
export type CanaryCounts = z.infer<typeof countsSchema>;
export type Decision = z.infer<typeof decisionSchema>;

export function newCanary(app: string, release: number, now: number): CanaryRecord {
  return {
    v: 1,
    app,
    release,
    startedAt: new Date(now).toISOString(),
    step: 0,
    secondsInStep: 0,
    lookedAt: now,
    // What is counted from now on: the series' entries are named by their time.
    cursor: `${now}-0`,
    canary: noCounts(),
    production: noCounts(),
    ...freshEvidence(),
    decisions: [],
  };
}

/** Each step begins again, with its part of what may be wrong by chance. */
export function freshEvidence(): Pick<CanaryRecord, "inStep" | "errors" | "latency"> {
  return canaryRecordSchema
    .pick({ inStep: true, errors: true, latency: true })
    .parse({ errors: windowedFrom(noEvidence()), latency: windowedFrom(noLatencyEvidence()) });
}

function noCounts(): CanaryCounts {
  return { requests: 0, errors: 0, visitors: 0, goals: 0, histogram: [] };
}
