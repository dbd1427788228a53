import { abortReason, type Clock } from "../../../core/clock.js";

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  private readonly sleepers = new Set<Sleeper>();

  constructor(private time = Date.parse("2026-01-01T00:00:00Z")) {}

  now(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw abortReason(signal);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.sleepers.delete(sleeper);
        if (signal) reject(abortReason(signal));
      };
      const sleeper = {
        at: this.time + ms,
        wake: () => {
          this.sleepers.delete(sleeper);
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.sleepers.add(sleeper);
      this.wakeDue();
    });
  }

  /** Wakes all who slept until then, the earliest first. */
  advance(ms: number): void {
    this.time += ms;
    this.wakeDue();
  }

  private wakeDue(): void {
    const due = [...this.sleepers].filter(({ at }) => at <= this.time);
    for (const sleeper of due.sort((a, b) => a.at - b.at)) sleeper.wake();
  }
}
