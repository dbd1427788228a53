import type { RedisAddress } from "../../../core/redis/connection.js";
import type { RedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { probeRedis } from "./probe-redis.js";
import type { ReplicaSetting } from "./replica-files.js";

/** A Redis of Sluice's, as a host reaches it. */
export interface RedisPlace {
  readonly address: string;
  readonly redis: RedisUrl;
}

type RedisUrl = Extract<RedisAddress, { kind: "url" }>;

/** Where Redis may be, for a host that reaches the server's as `redis` says: the server's first. */
export function placesFor(redis: RedisUrl, { server, replicas }: RedisPlaces): RedisPlace[] {
  return [server, ...replicas.map(({ address }) => address)].map((address) => {
    const url = new URL(redis.url);
    url.hostname = address;
    return { address, redis: { ...redis, url: url.toString() } };
  });
}

/** The same for a replica's host, without its own. */
export function otherPlaces({ order, places }: ReplicaSetting, ca: string | undefined): RedisPlace[] {
  const url = `rediss://${order.user}:${order.password}@${places.server}:${places.redisPort}`;
  return placesFor({ kind: "url", url, ca }, places).filter(({ address }) => address !== order.address);
}

/** The one that is the primary: of several the one that became it last. Undefined when none says that it is. */
export async function findPrimary(places: readonly RedisPlace[]): Promise<RedisPlace | undefined> {
  const probed = await Promise.all(
    places.map(async (place) => ({ place, found: await probeRedis(place.redis) })),
  );
  const [first] = probed
    .filter(({ found }) => found?.replication.role === "primary")
    .sort((a, b) => (b.found?.term?.number ?? 0) - (a.found?.term?.number ?? 0));
  return first?.place;
}
