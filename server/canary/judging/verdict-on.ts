import type { CanarySettings } from "../../../core/records/releases/canary-settings.js";
import { bucketMs } from "../../../core/records/traffic/latency-buckets.js";
import type { CanaryRecord } from "../canary-record.js";
import { ERRORS, LATENCY } from "../statistics/leveled-evidence.js";
import { windowedValue } from "../statistics/windowed-evidence.js";
import type { Counts } from "../statistics/verdict-numbers.js";
import { judge, type Verdict } from "../statistics/verdict.js";

/** Of canaries as good as production so many fail by chance in all their steps, for errors and for latency each. */
const FALSE_ALARMS = 0.01;

/** On all that was seen of a canary, by its settings. Pure. */
export function verdictOn(record: CanaryRecord, settings: CanarySettings): Verdict {
  const { minRequests, maxErrorShare, maxP99Ratio, stepSeconds, steps } = settings;
  return judge(
    {
      canary: figuresOf(record.canary),
      production: figuresOf(record.production),
      eErrors: windowedValue(record.errors, ERRORS),
      eLatency: windowedValue(record.latency, LATENCY),
      requestsInStep: record.inStep.requests,
      visitorsInStep: record.inStep.visitors,
      secondsInStep: record.secondsInStep,
      against: settings.baseline ? "baseline" : "production",
    },
    {
      minRequests,
      stepSeconds,
      falseAlarms: FALSE_ALARMS / Math.max(1, steps.length),
      ...(maxErrorShare === undefined ? {} : { maxErrorShare }),
      ...(maxP99Ratio === undefined ? {} : { maxP99Ratio }),
    },
    bucketMs,
  );
}

function figuresOf({ histogram, ...figures }: CanaryRecord["canary"]): Counts {
  return { ...figures, histogram: new Map(histogram) };
}
