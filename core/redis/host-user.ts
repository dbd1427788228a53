import { createHash } from "node:crypto";
import { keys } from "./keys.js";

/** What a host is let in for: each has a part of `sluice up` of its own. */
export type HostRight = "monitor" | "proxy" | "redis";

const anyOf = (key: (name: string) => string): string => key("*");

/** What all of them read of the apps' routes. */
const ROUTES = [keys.routes, keys.revision, keys.routeChanges, keys.routesTrimmed];

const READS: Readonly<Record<HostRight, readonly string[]>> = {
  monitor: [
    ...ROUTES,
    keys.redisTerm,
    keys.apps,
    keys.fleetHosts,
    anyOf(keys.lock),
    anyOf(keys.trafficSeconds),
    anyOf(keys.trafficMinutes),
  ],
  proxy: [
    ...ROUTES,
    ...[keys.certificates, keys.certificatesRevision, keys.certificatesChanged],
    ...[keys.challenges, anyOf(keys.errorPages)],
  ],
  redis: [],
};

const WRITES: Readonly<Record<HostRight, readonly string[]>> = {
  monitor: [
    ...[keys.hosts, keys.alert, keys.scaleRequests, keys.fleetRequests, keys.events],
    ...[anyOf(keys.sampleSeconds), anyOf(keys.sampleMinutes), anyOf(keys.instanceLoads)],
    ...[anyOf(keys.scaleDecisions), "sluice:monitor-*", "sluice:outbox:alerts:*"],
  ],
  proxy: [
    ...[keys.proxies, keys.proxiesSeen, keys.wake, keys.events, anyOf(keys.load)],
    ...["sluice:traffic-*", keys.alert],
  ],
  redis: [],
};

/** Subscriptions and messages; the first is Redis' own, for keys that are watched (`KeyWatch`). */
const CHANNELS = ["__redis__:invalidate", keys.routesChannel, keys.wakeChannel];

/**
 * What no host does: administer Redis, look at other clients, or stop everybody with a slow command. INFO is what a client
 * asks before it takes a connection for ready.
 */
const COMMANDS = [
  "+@all",
  "-@admin",
  "-@dangerous",
  "+info",
  "-client",
  "+client|id",
  "+client|tracking",
  "+client|setname",
  "+client|reply",
];

/** What a replica asks of its primary (redis.io, "ACL"): it gets all that there is. */
const REPLICATION = ["+ping", "+psync", "+replconf"];

/** The user of a host. */
export function redisUserOfHost(host: string): string {
  return `host-${host}`;
}

export function isHostUser(user: string): boolean {
  return user.startsWith("host-");
}

/** Arguments of `ACL SETUSER` (redis.io, "ACL"). */
export function hostUserRules(host: string, rights: readonly HostRight[], password: string): string[] {
  return [
    ...[redisUserOfHost(host), "reset", "on", `#${hashOf(password)}`],
    ...new Set(rights.flatMap((right) => READS[right].map((key) => `%R~${key}`))),
    ...new Set(rights.flatMap((right) => WRITES[right].map((key) => `~${key}`))),
    ...CHANNELS.map((channel) => `&${channel}`),
    ...COMMANDS,
    ...(rights.includes("redis") ? REPLICATION : []),
  ];
}

/** The same for a user of the apps' Redis that may do nothing but be its replica. */
export function replicaUserRules(host: string, password: string): string[] {
  return [redisUserOfHost(host), "reset", "on", `#${hashOf(password)}`, ...REPLICATION];
}

/** The server's user of a replica, by which it takes back what that one has got as the primary. */
export const SERVER_USER = "server";

/** A line of an ACL file. */
export function serverUserLine(passwordHash: string): string {
  return `user ${SERVER_USER} on #${passwordHash} ~* &* +@all`;
}

function hashOf(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}
