import type { Clock } from "../../core/clock.js";
import { isAppError } from "../../core/errors/app-error.js";

const POLL_MS = 200;

/** Repeats what an engine does not answer, until it does, or the signal aborts or `patienceMs` are over. */
export async function untilEngineAnswers<T>(
  clock: Clock,
  act: () => Promise<T>,
  signal: AbortSignal,
  patienceMs = Infinity,
): Promise<T> {
  const giveUpAt = clock.now() + patienceMs;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isAppError(error, "engine-unavailable") || clock.now() >= giveUpAt) throw error;
      await clock.sleep(POLL_MS, signal);
    }
  }
}
