import type { Home } from "../../../core/home.js";
import type { Settings } from "../../../core/settings/settings.js";

/** Of all apps together, beside Sluice's own few. */
const MOST_CLIENTS = 4000;
/** What scripts may take beside the data, whose limit does not cover it; with that reserved, the address space ends. */
const SCRIPT_MEGABYTES = 1024;

/** Limits that hold for the apps, and that Sluice lifts while it moves data itself (names and values of `CONFIG SET`). */
export function appLimits({ redis }: Pick<Settings, "redis">): Record<string, string> {
  return {
    maxmemory: `${redis.appsMemoryMegabytes}mb`,
    "proto-max-bulk-len": `${Math.ceil(redis.appsMemoryMegabytes / 4)}mb`,
    "client-query-buffer-limit": `${Math.ceil(redis.appsMemoryMegabytes / 2)}mb`,
    appendfsync: "everysec",
  };
}

/** `redis.conf` of the apps' Redis (redis.io, "Redis configuration"). */
export function configuration(
  home: Home,
  settings: Settings,
  { addresses, port }: { readonly addresses: readonly string[]; readonly port: number },
): string {
  const { appsMemoryMegabytes, appsScriptSeconds } = settings.redis;
  const part = (share: number): string => `${Math.ceil(appsMemoryMegabytes * share)}mb`;
  const limits = Object.entries(appLimits(settings)).map(([name, value]) => `${name} ${value}`);
  return `# Written by Sluice; changes made by hand are lost.
bind ${addresses.join(" ")}
port ${port}
unixsocket ${home.appsRedis("redis.sock")}
unixsocketperm 700
dir ${home.appsRedis()}
aclfile ${home.appsRedis("users.acl")}
appendonly yes
auto-aof-rewrite-min-size 8mb
save ""
${limits.join("\n")}
maxmemory-policy noeviction
# An app that does not read its answers is disconnected; so are the largest of all that wait.
client-output-buffer-limit normal ${part(0.5)} ${part(0.25)} 30
client-output-buffer-limit pubsub ${part(0.125)} ${part(0.03)} 60
maxmemory-clients 50%
maxclients ${MOST_CLIENTS}
# From then on it answers BUSY, and the script can be ended.
busy-reply-threshold ${Math.ceil(appsScriptSeconds * 1000)}
slowlog-log-slower-than 100000
oom-score-adj absolute
oom-score-adj-values 500 500 500
daemonize no
logfile ""
`;
}

/** Instances on other hosts reach it at this host's private address. */
export function ownAddresses({ engine, fleet }: Settings): string[] {
  return ["127.0.0.1", ...(engine === "swarm" && fleet.address !== undefined ? [fleet.address] : [])];
}

/** The line of a run script that limits the address space (KiB): a script's memory is not counted in `maxmemory`. */
export function addressSpaceLimit({ redis }: Settings): string {
  return `ulimit -v ${(2 * redis.appsMemoryMegabytes + SCRIPT_MEGABYTES) * 1024}`;
}
