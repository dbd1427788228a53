import type { Database } from "../../core/redis/database.js";
import { toAppError } from "../../core/errors/app-error.js";
import type { ReconcileNeeds } from "./needs.js";

const PAUSE_MS = 1000;

/**
 * Whenever Redis is back, every app gets its user again: a Redis of one's own that keeps no users has forgotten them, and
 * what runs would be locked out until its next release. At a server's start its recovery makes them.
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
        const users = (await apps.list()).map((app) => ({ app, password: apps.redisPassword(app) }));
        await redisUsers.ensureAll(users);
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
