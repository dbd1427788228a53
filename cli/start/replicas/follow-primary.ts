import type { Log } from "../../../core/log.js";
import { readRedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import type { Context } from "../context.js";
import type { ReachedRedis } from "../services/reach-redis.js";
import { routeAppsRedis } from "./apps-redis-route.js";
import { serverReplicas, watchReplicas } from "./server-replicas.js";
import type { TakeBackOptions } from "./take-back.js";
import { watchPrimary } from "./watch-primary.js";

export interface FollowPrimaryOptions extends Pick<ReachedRedis, "redis" | "isOwn" | "primary"> {
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
  context,
  redis,
  isOwn,
  primary,
  log,
}: FollowPrimaryOptions): Promise<FollowedPrimary> {
  let onMoved: (place: string) => void = () => undefined;
  const redisMoved = new Promise<string>((resolve) => (onMoved = resolve));
  const watches: { stop(): Promise<void> }[] = [];
  const { home, path, settings } = context;
  if (isOwn && settings.engine === "swarm") {
    const read = async (): Promise<TakeBackOptions | undefined> =>
      (await serverReplicas(context, redis, log))?.records;
    watches.push(watchReplicas(read, ({ host }) => onMoved(host), log));
  }
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
