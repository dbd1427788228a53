const POLL_MS = 40;

/** Looks again and again, until `isOver` and at least once; what `look` throws fails the test at once. */
export async function throughout(
  isOver: () => boolean,
  look: () => Promise<void> | void,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    await look();
    if (isOver()) return;
    if (Date.now() > deadline) throw new Error(`not over in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
