import { mkdir, readFile } from "node:fs/promises";
import { quote } from "../../../core/exec/quote.js";
import { restartService, serviceState } from "../../../core/exec/runsv.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { RedisAddress } from "../../../core/redis/connection.js";
import { readOrMakeSecret } from "../../../core/secrets.js";
import type { Context } from "../context.js";
import { keptPort } from "../services/kept-port.js";
import { writeRedisUsers, type RedisUsersFile } from "../services/redis-users-file.js";
import { asUser, SERVICE_GRACE_MS, startService } from "../services/service.js";
import { chownTo, systemUser } from "../system-user.js";
import { addressSpaceLimit, configuration, ownAddresses } from "./configuration.js";

export interface AppsRedisService {
  /** For Sluice. */
  readonly address: RedisAddress;
  /** For the apps' own users: host and port of every `REDIS_URL` are from here. */
  readonly url: string;
  /** Keeps its users (lines of `ACL LIST`) for its next start. */
  readonly keepUsers: (lines: readonly string[]) => Promise<void>;
}

/** Of a replica. */
export interface AppsReplica {
  /** At which it listens. */
  readonly address: string;
  /** Lines of its ACL file, besides those that it has. */
  readonly users: readonly string[];
  /** A file with more of its configuration. */
  readonly include: string;
}

/**
 * The Redis that the apps use: limited in memory and connections, on a loopback port, with a user for each app in a file.
 * Started under its own `runsv` unless it runs already; with other settings it is restarted. It may not answer yet.
 */
export async function startAppsRedis(
  { home, settings, path, isRoot }: Pick<Context, "home" | "settings" | "path" | "isRoot">,
  replica?: AppsReplica,
): Promise<AppsRedisService> {
  const owner = isRoot ? await systemUser("redis") : undefined;
  await mkdir(home.appsRedis(), { recursive: true, mode: 0o700 });
  const { secret: password } = await readOrMakeSecret(home.appsRedis("password"));
  // Earlier versions had the apps in Sluice's own Redis, and instances that run know its port.
  const port = await keptPort(home.appsRedis("port"), home.redis("port"));
  const include = replica === undefined ? "" : `include ${replica.include}\n`;
  const addresses = replica === undefined ? ownAddresses(settings) : [replica.address];
  const text = `${configuration(home, settings, { addresses, port })}${include}`;
  const file = home.appsRedis("redis.conf");
  const isChanged = (await readFile(file, "utf8").catch(() => "")) !== text;
  await writeFileAtomically(file, text, 0o600);
  const users: RedisUsersFile = { path: home.appsRedis("users.acl"), password, owner };
  const known = await readFile(users.path, "utf8").catch(() => "");
  await writeRedisUsers(users, [...new Set([...(replica?.users ?? []), ...known.split("\n")])]);
  await chownTo(home.appsRedis(), owner);
  const program = `${asUser(owner)}redis-server ${quote(file)}`;
  const run = `${addressSpaceLimit(settings)}\nexec ${program}`;
  const { pid } = await serviceState(home.service("apps-redis"));
  await startService({ home, name: "apps-redis", run, path });
  if (isChanged && pid !== undefined) await restartService(home.service("apps-redis"), pid, SERVICE_GRACE_MS);
  return {
    address: { kind: "socket", path: home.appsRedis("redis.sock"), password },
    url: `redis://127.0.0.1:${port}/0`,
    keepUsers: async (lines) => writeRedisUsers(users, lines),
  };
}
