import type { Database } from "../../core/redis/database.js";
import { toAppError } from "../../core/errors/app-error.js";
import type { ReconcileNeeds } from "./needs.js";

const PAUSE_MS = 1000;

/**
 * Whenever the Redis that apps use is back, every app gets its user again: a Redis of one's own that keeps no users has
 * forgotten them, and what runs would be locked out until its next release; and apps come and go while the apps' Redis is
 * away. At a server's start its recovery makes them.
 */
export function keepRedisUsers(
  tools: Pick<ReconcileNeeds, "apps" | "redisUsers" | "clock" | "log">,
  redis: Database,
): { stop(): Promise<void> } {
  const { apps, redisUsers, clock, log } = tools;
  const stopping = new AbortController();
  const { signal } = stopping;
  let asked = 0;
  let work: Promise<void> | undefined;
  const ensure = async (): Promise<void> => {
    for (let done = -1; done !== asked && !signal.aborted;) {
      const now = asked;
      try {
        // Before the apps are listed: one that is made meanwhile has its user to itself.
        const known = await redisUsers.apps();
        const { apps: all, unreadable } = await apps.listAll();
        await redisUsers.ensureAll(all.map((app) => ({ app, password: apps.redisPassword(app) })));
        const names = new Set([...all.map(({ name }) => name), ...unreadable.keys()]);
        for (const gone of known.filter((name) => !names.has(name))) await redisUsers.remove(gone);
        done = now;
      } catch (error) {
        log.warn({ err: toAppError(error) }, "Redis users");
        await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
      }
    }
  };
  const ask = (): void => {
    asked++;
    work ??= ensure().finally(() => (work = undefined));
  };
  redis.on("ready", ask);
  return {
    stop: async () => {
      redis.off("ready", ask);
      stopping.abort(new Error("the server stops"));
      await work;
    },
  };
}
