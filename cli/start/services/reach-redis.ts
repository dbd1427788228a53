import { readRedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import { findPrimary, placesFor, type RedisPlace } from "../replicas/find-primary.js";
import { serverReplicas, type ServerReplicas } from "../replicas/server-replicas.js";
import { takeBack } from "../replicas/take-back.js";
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
  /** Of our own, where it has some. */
  readonly replicas?: ServerReplicas | undefined;
  /** Where Redis may be and where it is, on another host than the server's. */
  readonly primary?: { readonly current: RedisPlace; readonly places: readonly RedisPlace[] } | undefined;
}

type RedisContext = Pick<Context, "home" | "settings" | "path" | "isRoot">;

/** The Redis of the settings, or the replica of it that is the primary now; without one, our own beside us. It answers. */
export async function reachRedis(context: RedisContext, log: Log): Promise<ReachedRedis> {
  const { url } = context.settings.redis;
  return url === undefined ? reachOwn(context, log) : reachOther(context, url, log);
}

async function reachOther({ home, settings }: RedisContext, url: string, log: Log): Promise<ReachedRedis> {
  const ca = await redisAuthority(settings);
  const given = { kind: "url", url, ca } as const;
  const known = await readRedisPlaces(home.redisPlaces());
  const places = known === undefined || known.replicas.length === 0 ? [] : placesFor(given, known);
  const current = (await findPrimary(places)) ?? places[0];
  const used = current?.redis ?? given;
  if (!settings.redis.allowNoPassword) await refuseUnprotected(used.url, ca);
  const redis = connectRedis(used, log);
  return opened(redis, { isOwn: false, primary: current && { current, places } }, async () =>
    openRedis(redis),
  );
}

async function reachOwn(context: RedisContext, log: Log): Promise<ReachedRedis> {
  const { home, settings, path, isRoot } = context;
  const user = isRoot ? await systemUser("redis") : undefined;
  const listener = await hostListener({ home, settings, path, user });
  const { address } = await startPrivateRedis({ home, path, user, listener });
  const redis = connectRedis(address, log);
  const replicas = await serverReplicas(context, redis, log);
  return opened(redis, { isOwn: true, replicas }, async () => {
    await waitUntilUp(home, "redis", async () => openRedis(redis));
    await closeToApps(redis, log);
    await listenForHosts(redis, listener);
    if (replicas !== undefined) await takeBack(replicas.records);
  });
}

async function opened(
  redis: Database,
  reached: Omit<ReachedRedis, "redis">,
  open: () => Promise<void>,
): Promise<ReachedRedis> {
  try {
    await open();
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return { redis, ...reached };
}
