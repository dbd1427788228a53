import { systemClock, type Clock } from "../../../core/clock.js";
import { isAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { SwarmApi } from "./swarm-api.js";

/** Docker goes through all that was written to tell how much it is. */
const TICK_MS = 10_000;
const MEGABYTE = 1024 * 1024;

export interface WrittenLimitOptions {
  readonly api: Pick<SwarmApi, "containersWithSize" | "kill">;
  readonly megabytes: number;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Ends the instances of this host that have written more than they may: it lies on the host's disk, which all share, and Docker
 * knows no limit for it. By SIGXFSZ, which tells why; one that ignores it is killed at the next look. The Swarm starts it anew.
 */
export class WrittenLimit {
  private readonly ticker: Ticker;
  /** Containers that were asked to end. */
  private asked: ReadonlySet<string> = new Set();

  constructor(private readonly options: WrittenLimitOptions) {
    this.ticker = new Ticker({
      ...{ everyMs: TICK_MS, clock: options.clock ?? systemClock },
      job: async () => this.look(),
      onError: (error) => {
        // While Docker is away nobody can be asked.
        if (!isAppError(error, "engine-unavailable"))
          options.log.warn({ err: error }, "could not look at what instances have written");
      },
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return { stop: async () => this.ticker.stop() };
  }

  private async look(): Promise<void> {
    const { api, megabytes, log } = this.options;
    const over = (await api.containersWithSize()).filter(
      ({ isRunning, writtenBytes }) => isRunning && writtenBytes > megabytes * MEGABYTE,
    );
    for (const { id, instance, writtenBytes } of over) {
      const written = Math.round(writtenBytes / MEGABYTE);
      log.warn({ instance, writtenMegabytes: written, megabytes }, "an instance has written too much");
      await api.kill(id, this.asked.has(id) ? "SIGKILL" : "SIGXFSZ");
    }
    this.asked = new Set(over.map(({ id }) => id));
  }
}
