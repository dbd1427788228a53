import { systemClock, type Clock } from "../clock.js";

export interface TickerOptions {
  readonly everyMs: number;
  /** The signal aborts when the ticker stops. */
  readonly job: (signal: AbortSignal) => void | Promise<void>;
  readonly onError: (error: unknown) => void;
  /** When the next run is due, asked after each: for a job that knows of one sooner than in `everyMs`. */
  readonly dueInMs?: () => number;
  readonly clock?: Clock;
}

/**
 * Runs a job every so many ms, one run at a time: a run that takes longer misses its ticks. A run that fails does not
 * stop it.
 */
export class Ticker {
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private bell = new AbortController();
  private isWoken = false;
  private beganAt = 0;
  private loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: TickerOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** The first run comes after a pause, unless it is woken before. */
  start(): void {
    this.beganAt = this.clock.now();
    this.loop = this.tick();
  }

  /** Resolves after a first run, even if that fails. */
  async startNow(): Promise<void> {
    const first = this.run();
    this.loop = first.then(async () => this.tick());
    await first;
  }

  /** Does not wait for the next tick. When the job is running, it runs once more after that. */
  wake(): void {
    this.isWoken = true;
    this.bell.abort();
  }

  /** Aborts the job's signal and waits for the job. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error("Sluice stops"));
    this.bell.abort();
    await this.loop;
  }

  private async tick(): Promise<void> {
    for (;;) {
      await this.pause();
      if (this.stopping.signal.aborted) return;
      await this.run();
    }
  }

  private async pause(): Promise<void> {
    if (this.isWoken || this.stopping.signal.aborted) return;
    this.bell = new AbortController();
    const dueInMs = this.options.dueInMs?.() ?? Infinity;
    const pauseMs = Math.min(dueInMs, this.untilNextTickMs());
    await this.clock.sleep(Math.max(0, pauseMs), this.bell.signal).catch(() => undefined);
  }

  private async run(): Promise<void> {
    this.isWoken = false;
    this.beganAt = this.clock.now();
    try {
      await this.options.job(this.stopping.signal);
    } catch (error) {
      this.options.onError(error);
    }
  }

  /** A clock that was set back does not make the pause longer. */
  private untilNextTickMs(): number {
    const { everyMs } = this.options;
    return everyMs - (Math.max(0, this.clock.now() - this.beganAt) % everyMs);
  }
}
