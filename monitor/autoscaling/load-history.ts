/** What an app's production wanted at a moment, and what it got. */
export interface LoadPoint {
  /** ms since 1970. */
  readonly at: number;
  /** CPU of all its instances together, percent of one processor. */
  readonly load: number;
  /** What they got of it: without what was stolen. */
  readonly used: number;
  /** Mean load of the window that ends here; undefined where too little is known of it. */
  readonly mean: number | undefined;
  /** Mean of `used`, likewise. */
  readonly meanUsed: number | undefined;
}

export type LoadHistory = readonly LoadPoint[];

/** One sample a second is the rule; of a window so much must be there. */
const LEAST_COVERED = 0.7;

/** The history with a new point, without what is older than `keptMs`. */
export function withLoad(
  history: LoadHistory,
  { at, load, used }: Pick<LoadPoint, "at" | "load" | "used">,
  { windowMs, keptMs }: { windowMs: number; keptMs: number },
): LoadHistory {
  const window = after(history, at - windowMs);
  const points = window.length + 1;
  const isCovered = points >= (LEAST_COVERED * windowMs) / 1000;
  const mean = isCovered ? window.reduce((sum, point) => sum + point.load, load) / points : undefined;
  const meanUsed = isCovered ? window.reduce((sum, point) => sum + point.used, used) / points : undefined;
  return [...after(history, at - keptMs), { at, load, used, mean, meanUsed }];
}

/** The highest mean of a window that ended in the last `calmMs`; undefined where too little is known of that time. */
export function peakOf(history: LoadHistory, now: number, calmMs: number): number | undefined {
  let [known, peak] = [0, -Infinity];
  for (const { mean } of after(history, now - calmMs)) {
    if (mean === undefined) continue;
    known++;
    if (mean > peak) peak = mean;
  }
  return known < (LEAST_COVERED * calmMs) / 1000 ? undefined : peak;
}

/** What came after `at`. A history is sorted, and nearly all of it is asked for, or only its end. */
function after(history: LoadHistory, at: number): LoadHistory {
  let from = history.length;
  while ((history[from - 1]?.at ?? -Infinity) > at) from--;
  return history.slice(from);
}
