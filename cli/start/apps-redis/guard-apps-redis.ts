import type { Log } from "../../../core/log.js";
import type { Database } from "../../../core/redis/database.js";
import type { Context } from "../context.js";
import { limitConnections } from "./connection-limit.js";
import { DiskGuard } from "./disk-guard.js";
import { limitScriptCache } from "./script-cache-limit.js";
import { ScriptWatchdog } from "./script-watchdog.js";

/** Keeps an app from harming the others in the apps' Redis: wherever that is the primary, or may become it. */
export function guardAppsRedis(
  { home, settings }: Pick<Context, "home" | "settings">,
  redis: Database,
  log: Log,
): { stop(): Promise<void> } {
  const [service, scriptMs] = [home.service("apps-redis"), settings.redis.appsScriptSeconds * 1000];
  const guards = [
    new ScriptWatchdog({ redis, service, scriptMs, log }).start(),
    new DiskGuard({ home, settings, redis, log }).start(),
    limitConnections(redis, log),
    limitScriptCache(redis, settings.redis.appsMemoryMegabytes, log),
  ];
  return {
    stop: async () => {
      await Promise.all(guards.map(async (guard) => guard.stop()));
    },
  };
}
