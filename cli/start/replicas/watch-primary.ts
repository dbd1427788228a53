import { Ticker } from "../../../core/loop/ticker.js";
import type { Log } from "../../../core/log.js";
import type { Database } from "../../../core/redis/database.js";
import { readReplication } from "../../../core/redis/replicas/replication.js";
import { findPrimary, type RedisPlace } from "./find-primary.js";

const TICK_MS = 2000;

export interface WatchPrimaryOptions {
  /** The one in use. */
  readonly redis: Database;
  readonly current: RedisPlace;
  readonly places: readonly RedisPlace[];
  readonly onMoved: (address: string) => void;
  readonly log: Log;
}

/** Says once when another Redis is the primary than the one in use, and that one is not any more, or does not answer. */
export function watchPrimary(options: WatchPrimaryOptions): { stop(): Promise<void> } {
  const { redis, current, places, onMoved, log } = options;
  let isMoved = false;
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      if (isMoved || (await isPrimary(redis))) return;
      const found = await findPrimary(places);
      if (found === undefined || found.address === current.address) return;
      isMoved = true;
      onMoved(found.address);
    },
    onError: (error) => log.debug({ err: error }, "could not look for Redis"),
  });
  ticker.start();
  return ticker;
}

async function isPrimary(redis: Database): Promise<boolean> {
  return readReplication(redis).then(
    ({ role }) => role === "primary",
    () => false,
  );
}
