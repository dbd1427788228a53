const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After the first failed try, the second, and so on; the last one from then on. */
const PAUSES_MS = [SECOND_MS, 5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS] as const;
/** A pause is at most so much longer or shorter, so that those who failed together do not come back together. */
const SPREAD = 0.2;

/** How long to wait after a number of failed tries. `random`: 0 to 1. */
export function retryPauseMs(failures: number, random: number): number {
  const pauseMs = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? SECOND_MS;
  return Math.round(pauseMs * (1 - SPREAD + 2 * SPREAD * random));
}
