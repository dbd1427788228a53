import { systemClock, type Clock } from "../clock.js";

export interface PerKeyOptions {
  readonly onError: (error: unknown, key: string) => void;
  /** A key whose job failed gets no other one for `firstMs`, then for twice as long with each further failure in a row. */
  readonly backOff?: { readonly firstMs: number; readonly longestMs: number };
  readonly clock?: Clock;
}

/** The signal aborts when everything stops, or something else is to be done. */
export type Job = (signal: AbortSignal) => Promise<void>;

interface Failed {
  /** In a row. */
  readonly times: number;
  /** ms since 1970 */
  readonly pausedUntil: number;
}

/** Why a job was aborted that another one takes the place of: no failure. */
class Replaced extends Error {}

/** Runs jobs side by side, at most one per key at a time. */
export class PerKey {
  private readonly clock: Clock;
  private readonly running = new Map<
    string,
    { readonly ended: Promise<void>; readonly stop: AbortController }
  >();
  private readonly next = new Map<string, Job>();
  private readonly failed = new Map<string, Failed>();
  private isStopping = false;

  constructor(private readonly options: PerKeyOptions) {
    this.clock = options.clock ?? systemClock;
  }

  isBusy(key: string): boolean {
    return this.running.has(key);
  }

  /** Does nothing while the key is busy, or backs off from a failure. */
  runIfIdle(key: string, job: Job): void {
    if (!this.isBusy(key)) this.begin(key, job);
  }

  /** As `runIfIdle`, but while the key is busy, the job waits for its turn. Of several that wait only the last one is run. */
  run(key: string, job: Job): void {
    if (this.isBusy(key)) this.next.set(key, job);
    else this.begin(key, job);
  }

  /** Aborts the key's job, and runs this one when that has ended. A pause after failures is over. */
  runInstead(key: string, job: Job): void {
    this.failed.delete(key);
    this.running.get(key)?.stop.abort(new Replaced("something else is to be done"));
    this.run(key, job);
  }

  /** Aborts the jobs' signal and waits for those that run. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const { stop } of this.running.values()) stop.abort(new Error("Sluice stops"));
    await Promise.all([...this.running.values()].map(async ({ ended }) => ended));
  }

  private begin(key: string, job: Job): void {
    if (this.isStopping || this.isBackingOff(key)) return;
    const stop = new AbortController();
    const ended = this.attempt(key, job, stop.signal).finally(() => this.end(key));
    this.running.set(key, { ended, stop });
  }

  private async attempt(key: string, job: Job, stopped: AbortSignal): Promise<void> {
    try {
      await job(stopped);
      this.failed.delete(key);
    } catch (error) {
      if (stopped.reason instanceof Replaced) return;
      this.options.onError(error, key);
      this.backOff(key);
    }
  }

  private end(key: string): void {
    this.running.delete(key);
    const next = this.next.get(key);
    this.next.delete(key);
    if (next !== undefined) this.begin(key, next);
  }

  private isBackingOff(key: string): boolean {
    return this.clock.now() < (this.failed.get(key)?.pausedUntil ?? 0);
  }

  private backOff(key: string): void {
    if (this.options.backOff === undefined) return;
    const { firstMs, longestMs } = this.options.backOff;
    const times = this.failed.get(key)?.times ?? 0;
    const pausedUntil = this.clock.now() + Math.min(longestMs, firstMs * 2 ** times);
    this.failed.set(key, { times: times + 1, pausedUntil });
  }
}
