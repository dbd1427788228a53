import { z } from "zod";
import { ERRORS, LATENCY } from "./statistics/leveled-evidence.js";
import { windowedFrom } from "./statistics/windowed-evidence.js";

const evidenceSchema = z.object({
  alternatives: z.array(z.object({ riskRatio: z.number(), logE: z.number(), openLogE: z.number() })),
  openSeconds: z.number(),
});
/** As `LeveledEvidence`. */
const leveledSchema = z.object({ levels: z.array(evidenceSchema) });
/** Of the canary and of what it is compared with. */
const countsOfBothSchema = z.object({ canary: z.number(), production: z.number() });
const histogramSchema = z.array(z.tuple([z.number(), z.number()]));

const countsSchema = z.object({
  /** That have ended; the errors (5xx, or no answer) are among them. */
  requests: z.number(),
  errors: z.number(),
  /** Visitors whom chance sent to this track, and those of them who reached the goal. */
  visitors: z.number(),
  goals: z.number(),
  /** As `VisitorCounts`. */
  visitorsWithErrors: z.number(),
  visitorsWithManyErrors: z.number(),
  visitorsOverP90: z.number(),
  visitorsOverP99: z.number(),
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

const currentSchema = z.object({
  v: z.literal(3),
  app: z.string(),
  release: z.number().int().positive(),
  /** ISO 8601 */
  startedAt: z.string(),
  /** Index into the settings' `steps`. */
  step: z.number().int().nonnegative(),
  /** Seconds that this step has lasted, those in which no visitor was sent to it not counted. */
  secondsInStep: z.number(),
  /** Requests and visitors since the step began. */
  inStep: z.object({ requests: countsOfBothSchema, visitors: countsOfBothSchema }),
  /** The `chance` of the last look. */
  chance: z.number().optional(),
  /** Of how many answers of production the limits of slow answers were made. */
  slowAnswers: z.number().default(0),
  /** Production's release when it began; null: there was none. */
  beside: z.number().nullable().optional(),
  /** When it was looked at last, ms since 1970. */
  lookedAt: z.number(),
  /** How far the traffic series were read. */
  cursor: z.string(),
  canary: countsSchema,
  production: countsSchema,
  /** What speaks against it since this step began. */
  errors: renewed(leveledSchema),
  latency: renewed(leveledSchema),
  /** The last promotion was tried so many times in vain; the next try is due then (ms since 1970). */
  failedPromotion: z.object({ times: z.number(), retryAt: z.number(), reason: z.string() }).optional(),
  /** The last verdict that was the same as the one before is not in `decisions`. */
  verdict: decisionSchema.optional(),
  /** Oldest first. */
  decisions: z.array(decisionSchema),
  /** `promoted`, `aborted`, or `replaced` when it was pushed over or taken away. */
  outcome: z.enum(["promoted", "aborted", "replaced"]).optional(),
});

/**
 * Version 1 counted requests where this one counts visitors, version 2 only their first error: that evidence and that last verdict
 * say nothing here.
 */
function converted(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null || !("v" in stored)) return stored;
  if (stored.v !== 1 && stored.v !== 2) return stored;
  const { canary, production } = stored as { canary?: object; production?: object };
  return {
    ...{ ...stored, ...freshEvidence(), v: 3, verdict: undefined },
    canary: { ...noCounts(), ...canary },
    production: { ...noCounts(), ...production },
  };
}

/** How one release does as the canary: everything its verdict is made from, so that a server that comes back goes on with it. */
export const canaryRecordSchema = z.preprocess(converted, currentSchema);

export type CanaryRecord = z.infer<typeof canaryRecordSchema>;
export type CanaryCounts = z.infer<typeof countsSchema>;
export type Decision = z.infer<typeof decisionSchema>;

export function newCanary(app: string, release: number, now: number): CanaryRecord {
  return {
    v: 3,
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
export function freshEvidence(): Pick<CanaryRecord, "inStep" | "slowAnswers" | "errors" | "latency"> {
  const none = { canary: 0, production: 0 };
  return currentSchema.pick({ inStep: true, slowAnswers: true, errors: true, latency: true }).parse({
    inStep: { requests: none, visitors: none },
    errors: windowedFrom(ERRORS.none()),
    latency: windowedFrom(LATENCY.none()),
  });
}

function noCounts(): CanaryCounts {
  return {
    ...{ requests: 0, errors: 0, histogram: [] },
    ...{ visitors: 0, goals: 0, visitorsWithErrors: 0, visitorsWithManyErrors: 0 },
    ...{ visitorsOverP90: 0, visitorsOverP99: 0 },
  };
}
