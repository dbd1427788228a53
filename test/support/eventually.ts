const POLL_MS = 40;

/** Asks again and again until the answer is not undefined or false, at most for `timeoutMs`; then fails with `what`. */
export async function eventually<T>(
  what: string | (() => string),
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`not in ${timeoutMs} ms: ${typeof what === "string" ? what : what()}`, { cause: last });
}
