import { mkdir, readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { User } from "../../../core/exec/exec.js";
import type { Home } from "../../../core/home.js";
import { quote } from "../../../core/exec/quote.js";
import type { RedisAddress } from "../../../core/redis/connection.js";
import { hashToken, readOrMakeSecret } from "../../../core/secrets.js";
import { chownTo } from "../system-user.js";
import { keptPort } from "./kept-port.js";
import { startService } from "./service.js";

export interface PrivateRedis {
  readonly address: RedisAddress;
  /** For the apps' own users. */
  readonly url: string;
  /** Keeps its users (lines of `ACL LIST`) for its next start. */
  readonly keepUsers: (lines: readonly string[]) => Promise<void>;
}

/**
 * The Redis that Sluice brings along: an append-only file synced at each write, a Unix socket for us, a loopback port for
 * the apps, users in a file. Started under its own `runsv` unless it runs already.
 */
export async function startPrivateRedis(
  home: Home,
  path: string,
  user: User | undefined,
): Promise<PrivateRedis> {
  await mkdir(home.redis(), { recursive: true, mode: 0o700 });
  const { secret: password } = await readOrMakeSecret(home.redis("password"));
  const port = await keptPort(home.redis("port"));
  await writeFileAtomically(home.redis("redis.conf"), configuration(home, port), 0o600);
  const file = home.redis("users.acl");
  const keepUsers = async (lines: readonly string[]): Promise<void> =>
    writeUsers(file, password, lines, user);
  await keepUsers((await readFile(file, "utf8").catch(() => "")).split("\n"));
  await chownTo(home.redis(), user);
  const run = `exec ${user === undefined ? "" : `chpst -u :${user.uid}:${user.gid} `}redis-server ${quote(home.redis("redis.conf"))}`;
  await startService({ home, name: "redis", run, path });
  return {
    address: { kind: "socket", path: home.redis("redis.sock"), password },
    url: `redis://127.0.0.1:${port}/0`,
    keepUsers,
  };
}

function configuration(home: Home, port: number): string {
  return `# Written by Sluice; changes made by hand are lost.
bind 127.0.0.1
port ${port}
unixsocket ${home.redis("redis.sock")}
unixsocketperm 700
dir ${home.redis()}
aclfile ${home.redis("users.acl")}
appendonly yes
appendfsync always
save ""
daemonize no
logfile ""
`;
}

/**
 * The administrator's line, then the apps'. Redis itself never writes the file: `ACL SAVE` does so in place, and a crash then
 * leaves an empty one, with which Redis starts with an administrator without a password.
 */
async function writeUsers(
  file: string,
  password: string,
  known: readonly string[],
  user: User | undefined,
): Promise<void> {
  const apps = known.filter((line) => line.startsWith("user ") && !line.startsWith("user default "));
  const lines = [`user default on #${hashToken(password)} ~* &* +@all`, ...[...apps].sort()];
  const text = `${lines.join("\n")}\n`;
  if ((await readFile(file, "utf8").catch(() => "")) !== text)
    await writeFileAtomically(file, text, 0o600, user);
}
