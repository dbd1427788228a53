import { CANARY } from "../../../core/records/routes/route-table.js";
import { releaseName } from "../../../core/names.js";
import { sumOf } from "../../../core/records/traffic/traffic.js";
import type { ReleaseTraffic } from "../../../core/records/traffic/traffic-series.js";
import { canaryRecordSchema, type CanaryCounts, type CanaryRecord } from "../canary-record.js";
import { ERRORS, withBlock } from "../statistics/evidence.js";
import { LATENCY, withHistograms } from "../statistics/latency-evidence.js";
import { withNext } from "../statistics/windowed-evidence.js";

const LONGEST_WARM_UP_SECONDS = 10;

interface Look {
  /** The track that the canary is compared with. */
  readonly against: string;
  readonly cursor: string;
  /** ms since 1970 */
  readonly now: number;
  /** No visitor is sent to the canary now. */
  readonly isHeld: boolean;
  /** As in the settings. */
  readonly stepSeconds: number;
}

/**
 * The record with what came since it was looked at last: one block for the tests. Who asked for a release is left out: it
 * is a tester, a probe or a script, and not one of the visitors whom chance has shared out. Pure.
 */
export function withTraffic(
  record: CanaryRecord,
  traffic: readonly ReleaseTraffic[],
  { against, cursor, now, isHeld, stepSeconds }: Look,
): CanaryRecord {
  const own = releaseName(record.release);
  // An instance that has just started is slow, and soon is not: latencies of that time are left out, production's too.
  const warmUpSeconds = record.step === 0 ? Math.min(LONGEST_WARM_UP_SECONDS, stepSeconds / 2) : 0;
  const isWarm = record.secondsInStep >= warmUpSeconds;
  const visitors = traffic
    .filter(({ asked }) => asked !== true)
    .map((counted) => (isWarm ? counted : { ...counted, latencies: {} }));
  const canary = countsOf(visitors.filter(({ release, track }) => track === CANARY && release === own));
  const production = countsOf(visitors.filter(({ track }) => track === against));
  const block = { canary: tally(canary), production: tally(production) };
  const histograms = { canary: new Map(canary.histogram), production: new Map(production.histogram) };
  // A clock may be set back.
  const passed = { seconds: Math.max(0, now - record.lookedAt) / 1000, requests: canary.requests };
  return canaryRecordSchema.parse({
    ...record,
    cursor,
    lookedAt: now,
    secondsInStep: record.secondsInStep + (isHeld ? 0 : passed.seconds),
    canary: together(record.canary, canary),
    production: together(record.production, production),
    inStep: {
      canary: record.inStep.canary + canary.requests,
      production: record.inStep.production + production.requests,
    },
    errors: withNext(record.errors, (evidence) => withBlock(evidence, block), passed, ERRORS),
    latency: withNext(record.latency, (evidence) => withHistograms(evidence, histograms), passed, LATENCY),
  });
}

/** Requests that have ended: one that is under way is neither good nor bad. */
function countsOf(traffic: readonly ReleaseTraffic[]): CanaryCounts {
  const { answersOk, answers4xx, answers5xx, failed, visitors, goals, latencies } = sumOf(traffic);
  return {
    requests: answersOk + answers4xx + answers5xx + failed,
    errors: answers5xx + failed,
    visitors,
    goals,
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
    histogram: [...histogram],
  };
}

function tally({ requests, errors }: CanaryCounts): { bad: number; all: number } {
  return { bad: errors, all: requests };
}
