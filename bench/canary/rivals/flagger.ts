import { bucketMs } from "../../../core/records/traffic/latency-buckets.js";
import { quantileOf, seenIn } from "../judges/seen.js";
import { SECONDS, type Recording } from "../traffic/recording.js";

const INTERVAL_SECONDS = 60;
const LEAST_SUCCESS = 0.99;
/** One and a half times production's; 500 ms in Flagger's documentation. */
export const MOST_P99_MS = 100;
const THRESHOLD = 5;

/**
 * Fixed limits as in Flagger's documentation ("Metrics Analysis", and "max number of failed metric checks before rollback"): each
 * minute the share of successes and the p99 of the canary's requests are checked, and at the fifth failed check it goes.
 * Production is not looked at.
 */
export function flagger(recording: Recording): number {
  let failed = 0;
  for (let second = 0; second + INTERVAL_SECONDS <= SECONDS; second += INTERVAL_SECONDS) {
    const { canary } = seenIn(recording, second, INTERVAL_SECONDS);
    if (canary.requests === 0) continue;
    const p99Ms = bucketMs(quantileOf(canary, 0.99));
    if (1 - canary.errors / canary.requests < LEAST_SUCCESS || p99Ms > MOST_P99_MS) failed++;
    if (failed >= THRESHOLD) return second + INTERVAL_SECONDS - 1;
  }
  return Infinity;
}
