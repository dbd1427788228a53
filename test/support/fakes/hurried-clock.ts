import { abortReason, systemClock, type Clock } from "../../../core/clock.js";

/** Waits of this length are deadlines of requests; they take real time. */
const DEADLINE_MS = 30_000;

/** A clock on which every sleep ends at once, with the time moved on by its length. */
export class HurriedClock implements Clock {
  /** The length of every sleep, in milliseconds, except deadlines. */
  readonly slept: number[] = [];
  private time = Date.now();

  now(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms >= DEADLINE_MS) {
      await systemClock.sleep(ms, signal);
      return;
    }
    if (signal?.aborted) throw abortReason(signal);
    this.slept.push(ms);
    this.time += ms;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
