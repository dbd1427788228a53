import { isAppError } from "../../core/errors/app-error.js";

const MOST_TRIES = 15;
const PAUSE_MS = 1000;

/**
 * Sends a request again when the connection broke before its answer; for one that has no other effect the second time. A
 * server that restarts is waited for; one that was not there the first time is not.
 */
export async function untilAnswered<T>(
  send: () => Promise<T>,
  sleep: (ms: number) => Promise<void>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const isLost =
        isAppError(error, "connection-lost") || (attempt > 1 && isAppError(error, "not-running"));
      if (!isLost || attempt === MOST_TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
