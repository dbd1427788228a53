import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { ReleaseWork } from "../step.js";

const POLL_MS = 200;

/** What is accepted is not given up because Redis is away for a moment. `act` can be repeated: it may have been done. */
export async function untilRedisAnswers<T>(
  work: ReleaseWork,
  act: () => Promise<T>,
  stop: AbortSignal,
): Promise<T> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await act();
    } catch (error) {
      if (!isAppError(error, "redis-unavailable")) throw error;
      if (!isTold) work.out.line(`waiting for Redis: ${error.message}`);
      await work.tools.clock.sleep(POLL_MS, stop);
    }
  }
}

const PATIENCE_MS = 5000;

/** The same where a person waits: a broken connection is restored, and a Redis that stays away is reported. */
export async function askRedisAgain<T>(
  work: ReleaseWork,
  act: () => Promise<T>,
  stop: AbortSignal,
): Promise<T> {
  const patience = new AbortController();
  let last: unknown;
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    return await untilRedisAnswers(
      work,
      async () =>
        act().catch((error: unknown) => {
          last = error;
          throw error;
        }),
      AbortSignal.any([stop, patience.signal]),
    );
  } catch (error) {
    if (patience.signal.aborted && last instanceof AppError) throw last;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
