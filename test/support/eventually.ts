const POLL_MS = 40;

/**
 * Asks again and again until the answer is not undefined or false, at most for `timeoutMs`; then fails with `what`, and with
 * what was thrown the last time, if that was how it ended. What must hold all the while is for `throughout`.
 */
export async function eventually<T>(
  what: string | (() => string),
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
  pollMs = POLL_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  } while (Date.now() < deadline);
  const message = `not in ${timeoutMs} ms: ${typeof what === "string" ? what : what()}`;
  if (!(last instanceof Error)) throw new Error(message, { cause: last });
  // The error itself: an assertion's has what was compared, and where.
  last.message = `${message}: ${last.message}`;
  throw last;
}
