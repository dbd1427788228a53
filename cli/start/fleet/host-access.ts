import { readFile } from "node:fs/promises";
import type { SecretBox } from "../../../core/secrets.js";
import type { HostAccess } from "../../../provisioning/fleet/fleet-needs.js";
import type { RoleOptions } from "../roles/role.js";
import { HostRedisUsers } from "../services/host-redis-users.js";
import { redisAuthority } from "../services/redis-authority.js";
import { systemUser } from "../system-user.js";

/** How other hosts reach the Redis that this one uses. */
export async function hostAccess(
  { context, redis, isOwnRedis }: RoleOptions,
  address: string,
  box: SecretBox,
): Promise<HostAccess> {
  const { home, settings, isRoot } = context;
  const { url } = settings.redis;
  // A Redis of one's own is used by all of them alike.
  if (!isOwnRedis && url !== undefined) {
    const ca = (await redisAuthority(settings)) ?? "";
    return { give: async () => Promise.resolve({ url, ca }), take: async () => Promise.resolve() };
  }
  const password = (await readFile(home.redis("password"), "utf8")).trim();
  return new HostRedisUsers({
    ...{ redis, box, address: `${address}:${settings.fleet.redisPort}` },
    file: {
      path: home.redis("users.acl"),
      password,
      owner: isRoot ? await systemUser("redis") : undefined,
    },
    ca: await readFile(home.redisCertificate("ca.crt"), "utf8"),
  });
}
