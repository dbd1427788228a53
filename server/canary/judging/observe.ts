import { CANARY } from "../../../core/records/routes/route-table.js";
import { releaseName } from "../../../core/names.js";
import { sumOf } from "../../../core/records/traffic/traffic.js";
import type { ReleaseTraffic } from "../../../core/records/traffic/traffic-series.js";
import { canaryRecordSchema, type CanaryCounts, type CanaryRecord } from "../canary-record.js";
import type { Affected } from "../statistics/evidence.js";
import { ERRORS, LATENCY } from "../statistics/leveled-evidence.js";
import type { VisitorCounts } from "../statistics/verdict-numbers.js";
import { withNext } from "../statistics/windowed-evidence.js";

/** An instance that has just started is slow, and soon is not: latencies of that time are left out, production's too. */
const LONGEST_WARM_UP_SECONDS = 60;

interface Look {
  /** The track that the canary is compared with. */
  readonly against: string;
  readonly cursor: string;
  /** ms since 1970 */
  readonly now: number;
  /** No visitor is sent to the canary now. */
  readonly isHeld: boolean;
  /** The probability (0 to 1) with which a visitor of one of the two tracks was sent to the canary's. */
  readonly chance: number;
  /** As in the settings. */
  readonly stepSeconds: number;
}

/**
 * The record with what came since it was looked at last: one block for the tests. Who asked for a release is left out: it
 * is a tester, a probe or a script, and not one of the visitors whom chance has divided. Pure.
 */
export function withTraffic(
  record: CanaryRecord,
  traffic: readonly ReleaseTraffic[],
  { against, cursor, now, isHeld, chance, stepSeconds }: Look,
): CanaryRecord {
  const own = releaseName(record.release);
  const isWarmBefore = isWarm(record, stepSeconds);
  const visitors = traffic
    .filter(({ asked }) => asked !== true)
    .map((counted) => (isWarmBefore ? counted : { ...counted, latencies: {} }));
  const canary = countsOf(visitors.filter(({ release, track }) => track === CANARY && release === own));
  const production = countsOf(visitors.filter(({ track }) => track === against));
  // A clock may be set back.
  const passed = { seconds: Math.max(0, now - record.lookedAt) / 1000, requests: canary.requests };
  // What came while the share changed was divided partly by the one, partly by the other.
  const divided = isHeld || chance !== (record.chance ?? chance) ? 0 : chance;
  const affected = (figure: keyof VisitorCounts): Affected => ({
    canary: canary[figure],
    production: production[figure],
  });
  const failing = [affected("visitorsWithErrors"), affected("visitorsWithManyErrors")];
  const slow = [affected("visitorsOverP90"), affected("visitorsOverP99")];
  const look = { chance: divided, seconds: passed.seconds };
  return canaryRecordSchema.parse({
    ...record,
    cursor,
    chance,
    lookedAt: now,
    secondsInStep: record.secondsInStep + (isHeld ? 0 : passed.seconds),
    canary: together(record.canary, canary),
    production: together(record.production, production),
    inStep: {
      requests: {
        canary: record.inStep.requests.canary + canary.requests,
        production: record.inStep.requests.production + production.requests,
      },
      visitors: {
        canary: record.inStep.visitors.canary + canary.visitors,
        production: record.inStep.visitors.production + production.visitors,
      },
    },
    errors: withNext(record.errors, (before) => ERRORS.with(before, failing, look), passed, ERRORS),
    latency: withNext(record.latency, (before) => LATENCY.with(before, slow, look), passed, LATENCY),
  });
}

/** Whether its latencies count yet. */
export function isWarm({ step, secondsInStep }: CanaryRecord, stepSeconds: number): boolean {
  return step > 0 || secondsInStep >= Math.min(LONGEST_WARM_UP_SECONDS, stepSeconds / 2);
}

/** Requests that have ended: one that is under way is neither good nor bad. */
function countsOf(traffic: readonly ReleaseTraffic[]): CanaryCounts {
  const { answersOk, answers4xx, answers5xx, failed, latencies, ...others } = sumOf(traffic);
  const { visitors, goals } = others;
  const { visitorsWithErrors, visitorsWithManyErrors, visitorsOverP90, visitorsOverP99 } = others;
  return {
    requests: answersOk + answers4xx + answers5xx + failed,
    errors: answers5xx + failed,
    ...{ visitors, goals, visitorsWithErrors, visitorsWithManyErrors, visitorsOverP90, visitorsOverP99 },
    histogram: Object.entries(latencies).map(([bucket, answers]) => [Number(bucket), answers]),
  };
}

function together(a: CanaryCounts, b: CanaryCounts): CanaryCounts {
  const histogram = new Map(a.histogram);
  for (const [bucket, count] of b.histogram) histogram.set(bucket, (histogram.get(bucket) ?? 0) + count);
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    visitors: a.visitors + b.visitors,
    goals: a.goals + b.goals,
    visitorsWithErrors: a.visitorsWithErrors + b.visitorsWithErrors,
    visitorsWithManyErrors: a.visitorsWithManyErrors + b.visitorsWithManyErrors,
    visitorsOverP90: a.visitorsOverP90 + b.visitorsOverP90,
    visitorsOverP99: a.visitorsOverP99 + b.visitorsOverP99,
    histogram: [...histogram],
  };
}
