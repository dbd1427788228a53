import { DeliveryError } from "./delivery-error.js";
import type { Outcome } from "./job-queue.js";
import type { OutboxJob } from "./outbox-job.js";
import { retryPauseMs } from "./retry-pause.js";

const LONGEST_LIFE_MS = 86_400_000;
const LONGEST_REASON = 500;

/** What follows from a failed try: another one later, or none. `random`: 0 to 1. Pure. */
export function outcomeOfFailure(
  job: OutboxJob,
  error: unknown,
  now: number,
  random: number,
): Exclude<Outcome, { kind: "done" }> {
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_REASON);
  const { isFinal, retryAfterMs } = error instanceof DeliveryError ? error : new DeliveryError(reason);
  const attempts = job.attempts + 1;
  const dueAt = now + Math.max(retryPauseMs(attempts, random), retryAfterMs ?? 0);
  if (isFinal || dueAt > job.firstAt + LONGEST_LIFE_MS) return { kind: "given-up", at: now, reason };
  return {
    kind: "again",
    job: { ...job, attempts, dueAt, lastError: reason },
    // Whoever asks for a pause means all that goes there.
    ...(retryAfterMs === undefined ? {} : { laneClosedUntil: now + retryAfterMs }),
  };
}
