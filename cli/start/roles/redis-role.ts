import type { Log } from "../../../core/log.js";
import { guardAppsRedis } from "../apps-redis/guard-apps-redis.js";
import type { Context } from "../context.js";
import { RedisReserve } from "../disk/redis-reserve.js";
import { keepReplica } from "../replicas/keep-replica.js";
import { startReplica } from "../replicas/start-replica.js";
import { redisAuthority } from "../services/redis-authority.js";

/** Replicas of the server's Redis and of the apps'. They come first: this host's may be the primary. Answers how that is stopped; Redis runs on. */
export async function startRedisRole(context: Context, log: Log): Promise<() => Promise<void>> {
  const { home, path, settings } = context;
  const host = await startReplica(context, log);
  const folder = home.redis("appendonlydir");
  const running = [
    await new RedisReserve({ folder, redis: host.records, path, log }).start(),
    guardAppsRedis(context, host.apps, log),
    keepReplica(host, await redisAuthority(settings), log),
  ];
  return async () => {
    host.disconnect();
    await Promise.all(running.map(async (each) => each.stop()));
  };
}
