import type { Clock } from "../../../core/clock.js";

export interface Wait {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const POLL_MS = 2000;

/** Calls `ask` until it returns something. Returns undefined when that takes longer than `timeoutMs`. */
export async function pollUntil<T>(
  ask: () => Promise<T | undefined>,
  clock: Clock,
  { timeoutMs, signal }: Wait,
): Promise<T | undefined> {
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    const leftMs = deadline - clock.now();
    if (leftMs <= 0) return undefined;
    await clock.sleep(Math.min(POLL_MS, leftMs), signal);
  }
}
