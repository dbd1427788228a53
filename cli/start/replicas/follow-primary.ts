import type { Log } from "../../../core/log.js";
import { readRedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import type { Context } from "../context.js";
import type { ReachedRedis } from "../services/reach-redis.js";
import { routeAppsRedis } from "./apps-redis-route.js";
import { watchReplicas } from "./server-replicas.js";
import { watchPrimary } from "./watch-primary.js";

export interface FollowPrimaryOptions extends Pick<ReachedRedis, "redis" | "replicas" | "primary"> {
  readonly context: Context;
  readonly log: Log;
}

export interface FollowedPrimary {
  /** Resolves with where Redis is, when that is elsewhere from now on. */
  readonly redisMoved: Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Notices when another Redis becomes the primary, and leads the instances of this host to the apps' Redis beside the one in use. */
export async function followPrimary({
  context: { home, path },
  redis,
  replicas,
  primary,
  log,
}: FollowPrimaryOptions): Promise<FollowedPrimary> {
  let onMoved: (place: string) => void = () => undefined;
  const redisMoved = new Promise<string>((resolve) => (onMoved = resolve));
  const watches: { stop(): Promise<void> }[] = [];
  if (replicas !== undefined) watches.push(watchReplicas(replicas.records, ({ host }) => onMoved(host)));
  const places = await readRedisPlaces(home.redisPlaces());
  if (primary !== undefined && places !== undefined) {
    const { current } = primary;
    await routeAppsRedis(places, current.address === places.server ? undefined : current.address, path);
    watches.push(watchPrimary({ ...primary, redis, onMoved, log }));
  }
  return {
    redisMoved,
    stop: async () => {
      await Promise.all(watches.map(async (watch) => watch.stop()));
    },
  };
}
