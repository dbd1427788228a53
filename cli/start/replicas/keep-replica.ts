import { Ticker } from "../../../core/loop/ticker.js";
import type { Log } from "../../../core/log.js";
import type { Database } from "../../../core/redis/database.js";
import { isHostUser } from "../../../core/redis/host-user.js";
import { appOfRedisUser, keys } from "../../../core/redis/keys.js";
import { readReplication } from "../../../core/redis/replicas/replication.js";
import { appClients } from "../apps-redis/app-clients.js";
import { findPrimary, otherPlaces } from "./find-primary.js";
import { isPromoted, setPromoted } from "./replica-files.js";
import type { ReplicaHost } from "./start-replica.js";

const TICK_MS = 2000;

/** Keeps both Redis of a host what they are to be: with the primary's users, and a replica again once the server has taken them back. */
export function keepReplica(host: ReplicaHost, ca: string | undefined, log: Log): { stop(): Promise<void> } {
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      await copyUsers(host);
      await noteRole(host, log);
      if (!(await isPromoted(host.home))) await followPrimary(host, ca, log);
    },
    onError: (error) => log.debug({ err: error }, "could not look after the replica of Redis"),
  });
  ticker.start();
  return ticker;
}

/** Both get the users that their primaries have (redis.io, "ACL"): those are no part of what Redis replicates. */
export async function copyUsers({ records, apps, keepUsers }: ReplicaHost): Promise<void> {
  const lines = await records.hgetall(keys.redisUsers);
  await setUsers(records, lines["records"], keepUsers.records);
  await setUsers(apps, lines["apps"], keepUsers.apps);
}

async function setUsers(
  redis: Database,
  text: string | undefined,
  keep: (lines: readonly string[]) => Promise<void>,
): Promise<void> {
  if (text === undefined) return;
  const [wanted, known] = [text.split("\n").filter(isCopied), (await redis.acl("LIST")).filter(isCopied)];
  const missing = wanted.filter((line) => !known.includes(line));
  const surplus = known.map(nameIn).filter((name) => !wanted.some((line) => nameIn(line) === name));
  if (missing.length === 0 && surplus.length === 0) return;
  for (const line of missing) {
    const [, name = "", ...rules] = line.split(" ");
    await redis.call("ACL", "SETUSER", name, "reset", ...rules);
  }
  if (surplus.length > 0) await redis.acl("DELUSER", ...surplus);
  await keep(await redis.acl("LIST"));
}

/** `user NAME …` */
function nameIn(line: string): string {
  return line.split(" ")[1] ?? "";
}

function isCopied(line: string): boolean {
  const name = nameIn(line);
  return isHostUser(name) || appOfRedisUser(name) !== undefined;
}

async function noteRole(host: ReplicaHost, log: Log): Promise<void> {
  const { home, records, apps } = host;
  const roles = await Promise.all([records, apps].map(async (redis) => (await readReplication(redis)).role));
  if (roles.every((role) => role === "replica") && (await isPromoted(home))) {
    await setPromoted(host, false);
    log.warn("the server has taken Redis back: this host has a replica again");
  }
  if (roles[1] === "replica") await sendAway(apps);
}

/** With several replicas, the others get what the one gets that was made the primary. */
async function followPrimary(host: ReplicaHost, ca: string | undefined, log: Log): Promise<void> {
  const { records, apps, places } = host;
  const { isInSync, primaryAddress } = await readReplication(records);
  if (isInSync && primaryAddress === places.server) return;
  const primary = await findPrimary(otherPlaces(host, ca));
  if (primary === undefined || primary.address === primaryAddress) return;
  await records.replicaof(primary.address, places.redisPort);
  await apps.replicaof(primary.address, places.appsPort);
  log.warn({ address: primary.address }, "the primary of this host's replica of Redis is another one now");
}

/** Apps that have come here must find the primary: a replica refuses what they write. */
async function sendAway(apps: Database): Promise<void> {
  for (const { id, app } of await appClients(apps))
    if (app !== undefined) await apps.client("KILL", "ID", id);
}
