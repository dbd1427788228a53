import type { Stats } from "node:fs";
import { readFile, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../../../core/redis/database.js";
import { outputOf } from "../../../core/exec/exec.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";

const TICK_MS = 1000;
const MEGABYTE = 1024 * 1024;
const RESERVE_BYTES = 32 * MEGABYTE;
/** On a small disk it is a part of it. */
const RESERVE_SHARE = 0.05;
/** stat(2) counts blocks of this size, whatever the file system's is. */
const BLOCK_BYTES = 512;

export interface RedisReserveOptions {
  /** Where the append-only files and their manifest are. */
  readonly folder: string;
  readonly redis: Pick<Database, "config" | "on" | "off">;
  readonly path: string;
  readonly log: Log;
}

/**
 * Room that Redis' append-only file has already when the disk is full: blocks behind its end (`fallocate --keep-size`), which
 * nobody else can take. Without it, a Redis that syncs each write exits at the first one that finds no room. A rewrite would
 * begin a new file, without a reserve, so there is none while the disk has no room for a whole one.
 */
export class RedisReserve {
  private canRewrite: boolean | undefined;
  private problem: string | undefined;

  constructor(private readonly options: RedisReserveOptions) {}

  /** Resolves once the reserve exists. If the disk has no room for it, the log says so. */
  async start(): Promise<{ stop(): Promise<void> }> {
    const { redis } = this.options;
    const ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => {
        await this.keep();
        this.tell(undefined);
      },
      onError: (error) => this.tell(error instanceof Error ? error.message : String(error)),
    });
    await ticker.startNow();
    // It has read its configuration again, which allows rewrites.
    const restarted = (): void => void (this.canRewrite = undefined);
    redis.on("ready", restarted);
    return {
      stop: async () => {
        redis.off("ready", restarted);
        await ticker.stop();
      },
    };
  }

  private async keep(): Promise<void> {
    const { folder } = this.options;
    const { bavail, blocks, bsize } = await statfs(folder);
    const reserve = Math.floor(Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE));
    const files = await appendedFiles(folder);
    const sizes = await Promise.all(files.map(async (name) => stat(join(folder, name))));
    const written = sizes.reduce((sum, { size }) => sum + size, 0);
    await this.allowRewrites(bavail * bsize >= written + 2 * reserve).catch((error: unknown) =>
      this.options.log.debug({ err: error }, "could not allow or forbid Redis to rewrite its file"),
    );
    const [name, last] = [files.at(-1), sizes.at(-1)];
    if (name !== undefined && last !== undefined) await this.topUp(join(folder, name), last, reserve);
  }

  private async topUp(file: string, { size, blocks }: Stats, reserve: number): Promise<void> {
    if (blocks * BLOCK_BYTES - size >= reserve / 2) return;
    const range = ["--keep-size", "--offset", String(size), "--length", String(reserve)];
    await outputOf({ argv: ["fallocate", ...range, file], env: { PATH: this.options.path } });
  }

  private async allowRewrites(areAllowed: boolean): Promise<void> {
    if (this.canRewrite === areAllowed) return;
    await this.options.redis.config("SET", "auto-aof-rewrite-percentage", areAllowed ? "100" : "0");
    this.canRewrite = areAllowed;
  }

  /** Once, as long as it stays the same. */
  private tell(problem: string | undefined): void {
    if (problem === this.problem) return;
    const { log } = this.options;
    if (problem === undefined) log.info("the disk reserve for Redis is complete again");
    else
      log.error(
        { problem },
        "the disk reserve for Redis is incomplete: Redis stops once the disk is full and the reserve is used up",
      );
    this.problem = problem;
  }
}

/** The files of the manifest, in order: `file NAME seq N type b|i` a line (redis.io, "Redis persistence"). The last one grows. */
async function appendedFiles(folder: string): Promise<string[]> {
  const manifest = await readFile(join(folder, "appendonly.aof.manifest"), "utf8");
  return manifest.split("\n").flatMap((line) => /^file (\S+) seq \d+ type [bi]/.exec(line)?.[1] ?? []);
}
