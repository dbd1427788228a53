import { statfs } from "node:fs/promises";
import type { Home } from "../../../core/home.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Database } from "../../../core/redis/database.js";
import { diskFloor } from "../../../server/pipeline/disk-space.js";
import type { Settings } from "../../../core/settings/settings.js";

/** Redis writes some megabytes in this time. */
const TICK_MS = 200;
/** Everything is said once more then, and how much a rewrite would take is looked at. */
const REPEAT_TICKS = 10;
/** Of what must stay free: apps stop writing while there is still room for pushes. */
const FLOORS = 2;

export interface DiskGuardOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly redis: Database;
  readonly log: Log;
}

/**
 * What apps write in their Redis ends in a file, and must not fill the disk that Sluice's records and pushes are on. While less
 * than twice `limits.minFreeMegabytes` is free, the apps' Redis refuses writes: it is told to want a replica, which it never
 * has (redis.io, `min-replicas-to-write`). It may rewrite its file, which shortens it, while there is room for a whole one.
 */
export class DiskGuard {
  private isReadOnly: boolean | undefined;
  private canRewrite: boolean | undefined;
  /** What the log says. */
  private wasReadOnly = false;
  private ticks = 0;

  constructor(private readonly options: DiskGuardOptions) {}

  start(): { stop(): Promise<void> } {
    const ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) =>
        this.options.log.debug({ err: error }, "could not say to the apps' Redis how full the disk is"),
    });
    ticker.start();
    // It has read its configuration again, which allows everything.
    const restarted = (): void => {
      [this.isReadOnly, this.canRewrite] = [undefined, undefined];
      ticker.wake();
    };
    const { redis } = this.options;
    redis.on("ready", restarted);
    return {
      stop: async () => {
        redis.off("ready", restarted);
        await ticker.stop();
      },
    };
  }

  private async look(): Promise<void> {
    const { redis, home, settings } = this.options;
    if (redis.status !== "ready") return;
    const isRepeat = this.ticks++ % REPEAT_TICKS === 0;
    const stats = await statfs(home.root);
    const [free, floor] = [stats.bavail * stats.bsize, FLOORS * diskFloor(settings, stats)];
    await this.setReadOnly(free < floor, isRepeat);
    if (isRepeat) await this.setRewrites(free - floor >= (await dataBytes(redis)));
  }

  private async setReadOnly(isReadOnly: boolean, isRepeat: boolean): Promise<void> {
    if (isReadOnly === this.isReadOnly && !isRepeat) return;
    const { redis, log } = this.options;
    await redis.config("SET", "min-replicas-to-write", isReadOnly ? "1" : "0");
    this.isReadOnly = isReadOnly;
    if (isReadOnly === this.wasReadOnly) return;
    this.wasReadOnly = isReadOnly;
    if (isReadOnly)
      log.error("the disk is almost full: apps cannot write in their Redis until there is room");
    else log.info("apps can write in their Redis again");
  }

  private async setRewrites(canRewrite: boolean): Promise<void> {
    if (canRewrite === this.canRewrite) return;
    await this.options.redis.config("SET", "auto-aof-rewrite-percentage", canRewrite ? "100" : "0");
    this.canRewrite = canRewrite;
  }
}

/** How long a rewritten file is at most, about. */
async function dataBytes(redis: Database): Promise<number> {
  const [, bytes] = /^used_memory:(\d+)/m.exec(await redis.info("memory")) ?? [];
  return Number(bytes);
}
