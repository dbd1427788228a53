import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import { waitUntilUp } from "./wait-until-up.js";
import type { Context } from "../context.js";
import { closeToApps } from "./close-to-apps.js";
import { redisAuthority } from "./redis-authority.js";
import { hostListener, listenForHosts } from "./redis-for-hosts.js";
import { startPrivateRedis } from "./private-redis.js";
import { refuseUnprotected } from "./refuse-unprotected.js";
import { systemUser } from "../system-user.js";

export interface ReachedRedis {
  readonly redis: Database;
  /** Whether it is the one that Sluice brings along. */
  readonly isOwn: boolean;
}

/** The Redis of the settings; without one, our own beside us. It answers. */
export async function reachRedis(
  { home, settings, path, isRoot }: Pick<Context, "home" | "settings" | "path" | "isRoot">,
  log: Log,
): Promise<ReachedRedis> {
  const { url, allowNoPassword } = settings.redis;
  const ca = await redisAuthority(settings);
  if (url !== undefined && !allowNoPassword) await refuseUnprotected(url, ca);
  const user = isRoot ? await systemUser("redis") : undefined;
  const listener = url === undefined ? await hostListener({ home, settings, path, user }) : undefined;
  const address =
    url === undefined
      ? await startPrivateRedis(home, path, user, listener)
      : ({ kind: "url", url, ca } as const);
  const redis = connectRedis(address, log);
  try {
    if (url !== undefined) await openRedis(redis);
    else {
      await waitUntilUp(home, "redis", async () => openRedis(redis));
      await closeToApps(redis, log);
      await listenForHosts(redis, listener);
    }
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return { redis, isOwn: url === undefined };
}
