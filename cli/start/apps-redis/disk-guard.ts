import { statfs } from "node:fs/promises";
import type { Home } from "../../../core/home.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Database } from "../../../core/redis/database.js";
import { diskFloor } from "../../../server/pipeline/disk-space.js";
import type { Settings } from "../../../core/settings/settings.js";

const TICK_MS = 1000;
/** While apps cannot write, they wait for room. */
const FULL_TICK_MS = 200;
/** A fast disk takes so much, and the closer the end is, the more often it is looked at. */
const BYTES_PER_MS = 1024 * 1024;
const SHORTEST_TICK_MS = 10;
/** The limits are set once more then: somebody may have changed them. */
const REPEAT_TICKS = 10;
/** Of what must stay free: apps stop writing while there is still room for pushes. */
const FLOORS = 2;
const MORE_REPLICAS_THAN_ANYBODY_HAS = "1000000";
/** A rewritten file is as long as the data at most, about; apps go on writing meanwhile. */
const REWRITE_ROOM = 2;

export interface DiskGuardOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly redis: Database;
  readonly log: Log;
}

/**
 * What apps write in their Redis ends in a file, and must not fill the disk that Sluice's records and pushes are on. While less
 * than twice `limits.minFreeMegabytes` is free, the apps' Redis refuses writes: it is told to want more replicas than it
 * has (redis.io, `min-replicas-to-write`). It may rewrite its file, which shortens it, while there is room for that.
 */
export class DiskGuard {
  private isReadOnly: boolean | undefined;
  private canRewrite: boolean | undefined;
  /** What the log says. */
  private wasReadOnly = false;
  private ticks = 0;
  /** Bytes that apps may still write. */
  private room = 0;

  constructor(private readonly options: DiskGuardOptions) {}

  start(): { stop(): Promise<void> } {
    const ticker = new Ticker({
      everyMs: TICK_MS,
      dueInMs: () =>
        this.isReadOnly === true ? FULL_TICK_MS : Math.max(SHORTEST_TICK_MS, this.room / BYTES_PER_MS),
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
    if (redis.status !== "ready") {
      this.room = Infinity;
      return;
    }
    const isRepeat = this.ticks++ % REPEAT_TICKS === 0;
    const stats = await statfs(home.root);
    const { dataBytes, isRewriting } = await readInfo(redis);
    const room = stats.bavail * stats.bsize - FLOORS * diskFloor(settings, stats);
    // What a rewrite that has begun will still take.
    this.room = room - (isRewriting ? dataBytes : 0);
    await this.setReadOnly(this.room < 0, isRepeat);
    await this.setRewrites(room >= REWRITE_ROOM * dataBytes);
  }

  private async setReadOnly(isReadOnly: boolean, isRepeat: boolean): Promise<void> {
    if (isReadOnly === this.isReadOnly && !isRepeat) return;
    const { redis, log } = this.options;
    await redis.config("SET", "min-replicas-to-write", isReadOnly ? MORE_REPLICAS_THAN_ANYBODY_HAS : "0");
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

async function readInfo(redis: Database): Promise<{ dataBytes: number; isRewriting: boolean }> {
  const text = await redis.info("memory", "persistence");
  const [, bytes] = /^used_memory:(\d+)/m.exec(text) ?? [];
  return { dataBytes: Number(bytes), isRewriting: /^aof_rewrite_in_progress:1/m.test(text) };
}
