import { toAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import type { RedisUserOptions } from "../../../server/apps/redis-users.js";
import type { Context } from "../context.js";
import { waitUntilUp } from "../services/wait-until-up.js";
import { limitConnections } from "./connection-limit.js";
import { DiskGuard } from "./disk-guard.js";
import { keepWhenCrowded } from "./keep-when-crowded.js";
import { isMoved, moveAppData } from "./move-app-data.js";
import { limitScriptCache } from "./script-cache-limit.js";
import { ScriptWatchdog } from "./script-watchdog.js";
import { startAppsRedis } from "./start-apps-redis.js";

export interface AppsRedis {
  readonly users: RedisUserOptions;
  readonly stop: () => Promise<void>;
}

/**
 * The apps' Redis and what looks after it. It need not answer: releases and traffic go on without it. Only what an earlier
 * version left in Sluice's own Redis (`records`) must be moved first. Throws `service-failed` then.
 */
export async function openAppsRedis(context: Context, records: Database, log: Log): Promise<AppsRedis> {
  const { home, settings } = context;
  const { address, url, keepUsers } = await startAppsRedis(context);
  const redis = connectRedis(address, log);
  keepWhenCrowded(redis);
  try {
    await waitUntilUp(home, "apps-redis", async () => openRedis(redis));
    await moveAppData({ home, settings, from: records, to: redis, log });
  } catch (error) {
    if (!(await isMoved(home))) {
      redis.disconnect();
      throw error;
    }
    log.error({ err: toAppError(error) }, "the apps' Redis does not answer; apps that use it have errors");
  }
  const [service, scriptMs] = [home.service("apps-redis"), settings.redis.appsScriptSeconds * 1000];
  const guards = [
    new ScriptWatchdog({ redis, service, scriptMs, log }).start(),
    new DiskGuard({ home, settings, redis, log }).start(),
    limitConnections(redis, log),
    limitScriptCache(redis, settings.redis.appsMemoryMegabytes, log),
  ];
  return {
    users: { redis, url, keep: keepUsers, isSeparate: true },
    stop: async () => {
      redis.disconnect();
      await Promise.all(guards.map(async (guard) => guard.stop()));
    },
  };
}
