import { isAppError } from "../../core/errors/app-error.js";

/** What an engine answers; undefined while it does not answer. */
export async function unlessUnavailable<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (isAppError(error, "engine-unavailable")) return undefined;
    throw error;
  });
}
