/** What an app's production took at a moment. */
export interface LoadPoint {
  /** ms since 1970. */
  readonly at: number;
  /** CPU of all its instances together, percent of one processor. */
  readonly load: number;
  /** Mean of the window that ends here; undefined where too little is known of it. */
  readonly mean: number | undefined;
}

export type LoadHistory = readonly LoadPoint[];

/** One sample a second is the rule; of a window so much must be there. */
const LEAST_COVERED = 0.7;

/** The history with a new point, without what is older than `keptMs`. */
export function withLoad(
  history: LoadHistory,
  { at, load }: Pick<LoadPoint, "at" | "load">,
  { windowMs, keptMs }: { windowMs: number; keptMs: number },
): LoadHistory {
  const window = history.filter((point) => point.at > at - windowMs && point.at < at);
  const loads = [...window.map((point) => point.load), load];
  const isCovered = loads.length >= (LEAST_COVERED * windowMs) / 1000;
  const mean = isCovered ? loads.reduce((sum, each) => sum + each, 0) / loads.length : undefined;
  return [...history.filter((point) => point.at > at - keptMs && point.at < at), { at, load, mean }];
}

/** The highest mean of a window that ended in the last `calmMs`; undefined where too little is known of that time. */
export function peakOf(history: LoadHistory, now: number, calmMs: number): number | undefined {
  const means = history.flatMap(({ at, mean }) => (at > now - calmMs && mean !== undefined ? [mean] : []));
  return means.length < (LEAST_COVERED * calmMs) / 1000 ? undefined : Math.max(...means);
}
