import { mkdir } from "node:fs/promises";
import type { User } from "../../../core/exec/exec.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Home } from "../../../core/home.js";
import { quote } from "../../../core/exec/quote.js";
import type { RedisAddress } from "../../../core/redis/connection.js";
import { readOrMakeSecret } from "../../../core/secrets.js";
import { chownTo } from "../system-user.js";
import { hostUserLines } from "./host-redis-users.js";
import type { HostListener } from "./redis-for-hosts.js";
import { writeRedisUsers } from "./redis-users-file.js";
import { asUser, startService } from "./service.js";

export interface PrivateRedisOptions {
  readonly home: Home;
  readonly path: string;
  /** Whom it runs as; undefined: as we do. */
  readonly user: User | undefined;
  readonly listener: HostListener | undefined;
  /** Lines of its ACL file, besides the hosts'. */
  readonly users?: readonly string[];
  /** More of its configuration. */
  readonly include?: string;
}

export interface PrivateRedisService {
  /** For Sluice. */
  readonly address: RedisAddress;
  /** Keeps its users (lines of `ACL LIST`) for its next start. */
  readonly keepUsers: (lines: readonly string[]) => Promise<void>;
}

/**
 * The Redis that Sluice brings along for its records: an append-only file synced at each write, a Unix socket and, where there
 * are other hosts, a port for them; no user but Sluice and those hosts. Started under its own `runsv` unless it runs already.
 */
export async function startPrivateRedis({
  home,
  path,
  user,
  listener,
  ...more
}: PrivateRedisOptions): Promise<PrivateRedisService> {
  await mkdir(home.redis(), { recursive: true, mode: 0o700 });
  const { secret: password } = await readOrMakeSecret(home.redis("password"));
  const text = `${configuration(home, listener)}${more.include === undefined ? "" : `include ${more.include}\n`}`;
  await writeFileAtomically(home.redis("redis.conf"), text, 0o600);
  const users = { path: home.redis("users.acl"), password, owner: user };
  await writeRedisUsers(users, [...(more.users ?? []), ...(await hostUserLines(users.path))]);
  await chownTo(home.redis(), user);
  const run = `exec ${asUser(user)}redis-server ${quote(home.redis("redis.conf"))}`;
  await startService({ home, name: "redis", run, path });
  return {
    address: { kind: "socket", path: home.redis("redis.sock"), password },
    keepUsers: async (lines) => writeRedisUsers(users, lines),
  };
}

function configuration(home: Home, listener: HostListener | undefined): string {
  const forHosts = Object.entries(listener ?? {}).map(([name, value]) => `${name} ${value}\n`);
  return `# Written by Sluice; changes made by hand are lost.
port 0
unixsocket ${home.redis("redis.sock")}
unixsocketperm 700
${forHosts.join("")}dir ${home.redis()}
aclfile ${home.redis("users.acl")}
appendonly yes
appendfsync always
save ""
daemonize no
logfile ""
`;
}
