import { rm } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { exists } from "../../../core/files/exists.js";
import type { Home } from "../../../core/home.js";
import type { Log } from "../../../core/log.js";
import type { Database } from "../../../core/redis/database.js";
import { ALL_APP_KEYS } from "../../../core/redis/keys.js";
import type { Settings } from "../../../core/settings/settings.js";
import { appLimits } from "./configuration.js";

export interface MoveOptions {
  readonly home: Home;
  readonly settings: Settings;
  /** Sluice's own Redis, which lets no app in any more. */
  readonly from: Database;
  /** The apps' Redis, which lets no app in yet. */
  readonly to: Database;
  readonly log: Log;
}

/** Keys that are copied before their originals are removed. */
const AT_ONCE = 100;
/** No app can write meanwhile, so what Sluice itself moves needs none. */
const NO_LIMITS = {
  maxmemory: "0",
  "proto-max-bulk-len": "512mb",
  "client-query-buffer-limit": "1gb",
  appendfsync: "always",
};

/**
 * Earlier versions kept the apps' keys in Sluice's own Redis. Moves them, with their time to live, and leaves a file that
 * says so. A key is removed only once its copy is on the disk: after a crash the next start goes on, and a copy that was made
 * already is made once more, as no app has changed it.
 */
export async function moveAppData(options: MoveOptions): Promise<void> {
  const { home, settings, from, to, log } = options;
  if (await isMoved(home)) return;
  await configure(to, NO_LIMITS);
  let moved = 0;
  for (const database of await databasesOf(from)) moved += await moveDatabase(from, to, database);
  await configure(to, appLimits(settings));
  await writeFileAtomically(home.appsRedis("moved"), "The apps' keys of Sluice's own Redis are here.\n");
  // The apps' Redis has it now.
  await rm(home.redis("port"), { force: true });
  if (moved === 0) return;
  log.info({ keys: moved }, "moved the apps' keys from Sluice's own Redis to the apps' Redis");
}

/** Whether there is nothing left that an earlier version would have kept elsewhere. */
export async function isMoved(home: Home): Promise<boolean> {
  return exists(home.appsRedis("moved"));
}

async function configure(redis: Database, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await redis.config("SET", name, value);
}

/** An app could choose any of them (`SELECT`). `INFO keyspace` has a line `db0:keys=…` for each with keys. */
async function databasesOf(redis: Database): Promise<number[]> {
  const text = await redis.info("keyspace");
  return [...text.matchAll(/^db(\d+):/gm)].map(([, number]) => Number(number));
}

async function moveDatabase(from: Database, to: Database, database: number): Promise<number> {
  const [source, target] = [await inDatabase(from, database), await inDatabase(to, database)];
  try {
    let moved = 0;
    let cursor = "0";
    do {
      const [next, keys] = await source.scan(cursor, "MATCH", ALL_APP_KEYS, "COUNT", AT_ONCE);
      for (const key of keys) moved += await copyKey(source, target, key);
      if (keys.length > 0) await source.unlink(...keys);
      cursor = next;
    } while (cursor !== "0");
    return moved;
  } finally {
    source.disconnect();
    target.disconnect();
  }
}

async function inDatabase(redis: Database, database: number): Promise<Database> {
  const connection = redis.another({ db: database, lazyConnect: true });
  connection.on("error", () => undefined);
  await connection.connect();
  return connection;
}

/** Returns 0 when the key has expired meanwhile. */
async function copyKey(from: Database, to: Database, key: string): Promise<number> {
  const ttlMs = await from.pttl(key);
  // The type does not know that there is none for a key that has expired.
  const dump = (await from.dumpBuffer(key)) as Buffer | null;
  // -2: gone; -1: it stays for ever, which is 0 for RESTORE.
  if (ttlMs === -2 || dump === null) return 0;
  await to.restore(key, ttlMs === -1 ? 0 : Math.max(1, ttlMs), dump, "REPLACE");
  return 1;
}
