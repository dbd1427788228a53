import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import { waitUntilUp } from "./wait-until-up.js";
import type { Context } from "../context.js";
import { startPrivateRedis, type PrivateRedis } from "./private-redis.js";
import { systemUser } from "../system-user.js";

/** The Redis of the settings; without one, our own beside us. It answers. */
export async function reachRedis(
  { home, settings, path, isRoot }: Context,
  log: Log,
): Promise<{ redis: Database; ownRedis: PrivateRedis | undefined }> {
  const { url } = settings.redis;
  const ownRedis =
    url === undefined
      ? await startPrivateRedis(home, path, isRoot ? await systemUser("redis") : undefined)
      : undefined;
  const redis = connectRedis(ownRedis?.address ?? { kind: "url", url: url ?? "" }, log);
  try {
    if (ownRedis === undefined) await openRedis(redis);
    else await waitUntilUp(home, "redis", async () => openRedis(redis));
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return { redis, ownRedis };
}
