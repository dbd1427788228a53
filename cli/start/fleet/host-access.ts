import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { SecretBox } from "../../../core/secrets.js";
import type { HostAccess } from "../../../provisioning/fleet/fleet-needs.js";
import type { AppsRedis } from "../apps-redis/apps-redis.js";
import type { RoleOptions } from "../roles/role.js";
import { HostRedisUsers } from "../services/host-redis-users.js";
import { redisAuthority } from "../services/redis-authority.js";
import { systemUser } from "../system-user.js";

export interface HostAccessOptions {
  /** The server's private address. */
  readonly address: string;
  readonly box: SecretBox;
  /** Undefined where it is one of somebody's own. */
  readonly appsRedis: AppsRedis["users"] | undefined;
}

/** How other hosts reach the Redis that this one uses. */
export async function hostAccess(
  { context, redis }: RoleOptions,
  { address, box, appsRedis }: HostAccessOptions,
): Promise<HostAccess> {
  const { home, settings, isRoot, path } = context;
  const { url } = settings.redis;
  if (appsRedis === undefined) return ownersAccess(url ?? "", (await redisAuthority(settings)) ?? "");
  const password = (await readFile(home.redis("password"), "utf8")).trim();
  return new HostRedisUsers({
    ...{ home, path, redis, box, apps: appsRedis, host: settings.monitor.host ?? hostname() },
    places: {
      server: address,
      redisPort: settings.fleet.redisPort,
      appsPort: Number(new URL(appsRedis.url).port),
    },
    file: {
      path: home.redis("users.acl"),
      password,
      owner: isRoot ? await systemUser("redis") : undefined,
    },
    ca: await readFile(home.redisCertificate("ca.crt"), "utf8"),
  });
}

/** A Redis of one's own is used by all of them alike. */
function ownersAccess(url: string, ca: string): HostAccess {
  return {
    canReplicate: false,
    give: async () => Promise.resolve({ url, ca, places: undefined, replica: undefined }),
    take: async () => Promise.resolve(),
    isReplicaInSync: async () => Promise.resolve(false),
    noteReplicas: async () => Promise.resolve(),
  };
}
