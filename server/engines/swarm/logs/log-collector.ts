import type { Clock } from "../../../../core/clock.js";
import type { Home } from "../../../../core/home.js";
import type { Log } from "../../../../core/log.js";
import { isAppError } from "../../../../core/errors/app-error.js";
import { LogFrames } from "./log-frames.js";
import { StoredLog } from "./stored-log.js";
import type { SwarmApi } from "../swarm-api.js";

export interface CollectorOptions {
  readonly api: Pick<SwarmApi, "follow" | "service">;
  readonly home: Home;
  readonly clock: Clock;
  readonly log: Log;
  /** Kept of each instance. */
  readonly logBytes: number;
}

const AGAIN_MS = 1000;
/** After the last task of an instance has gone, what it wrote last may still be on its way. */
const LAST_WORDS_MS = 300;

interface Followed {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * Stores what instances write: a Swarm forgets a service's log together with the service. Follows each from its start; after
 * an interruption from the last line that is stored.
 */
export class LogCollector {
  private readonly followed = new Map<string, Followed>();

  constructor(private readonly options: CollectorOptions) {}

  /** Returns at once. */
  follow(id: string, serviceId: string): void {
    if (this.followed.has(id)) return;
    const stop = new AbortController();
    this.followed.set(id, { stop, done: this.collect(id, serviceId, stop.signal) });
  }

  /** Of an instance that is gone: resolves when its last words are stored. */
  async end(id: string): Promise<void> {
    const followed = this.followed.get(id);
    if (followed === undefined) return;
    await this.options.clock.sleep(LAST_WORDS_MS);
    this.followed.delete(id);
    followed.stop.abort(new Error("its log has ended"));
    await followed.done;
  }

  /** The instances go on; whoever comes after follows them from where this one stopped. */
  async stop(): Promise<void> {
    const all = [...this.followed.values()];
    this.followed.clear();
    for (const { stop } of all) stop.abort(new Error("the server stops"));
    await Promise.all(all.map(async ({ done }) => done));
  }

  private async collect(id: string, serviceId: string, signal: AbortSignal): Promise<void> {
    const { home, logBytes, clock, log } = this.options;
    const stored = new StoredLog(home.serviceLog(id), logBytes);
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      try {
        await this.copy(serviceId, stored, signal);
      } catch (error) {
        if (isOver()) return;
        if (!isAppError(error, "engine-unavailable")) {
          log.warn({ err: error, instance: id }, "could not follow the log of an instance");
          // Whoever sees that the service is there follows it again.
          this.followed.delete(id);
          return;
        }
      }
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
    }
  }

  /** Until the stream ends. */
  private async copy(serviceId: string, stored: StoredLog, signal: AbortSignal): Promise<void> {
    const since = await stored.lastTime();
    const seconds = since === "" ? 0 : Math.floor(Date.parse(since) / 1000);
    const stream = await this.options.api.follow(serviceId, seconds, signal);
    const frames = new LogFrames();
    for await (const chunk of stream) {
      const lines = frames.push(Buffer.from(chunk));
      await stored.append(lines.filter((line) => timeOf(line) > since));
    }
  }
}

/** RFC 3339 with nine digits: sorted as text. */
function timeOf(line: string): string {
  return line.slice(0, line.indexOf(" "));
}
