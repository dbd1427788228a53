import { AppError } from "../../../core/errors/app-error.js";
import type { Database } from "../../../core/redis/database.js";
import { beginTerm, readTerm, type RedisTerm } from "../../../core/redis/replicas/redis-term.js";
import { readReplication, type Replication } from "../../../core/redis/replicas/replication.js";
import { redisAuthority } from "../services/redis-authority.js";
import type { Context } from "../context.js";
import { copyUsers } from "./keep-replica.js";
import { probeRedis } from "./probe-redis.js";
import { isPromoted, setPromoted } from "./replica-files.js";
import type { ReplicaHost } from "./start-replica.js";

export interface ReplicaState {
  readonly isPromoted: boolean;
  readonly replication: Replication;
  readonly term: RedisTerm | undefined;
}

/** How the replica of this host stands. */
export async function replicaState({ home, records }: ReplicaHost): Promise<ReplicaState> {
  return {
    isPromoted: await isPromoted(home),
    replication: await readReplication(records),
    term: await readTerm(records),
  };
}

/**
 * Makes both Redis of this host the primaries. Can be repeated. Throws `redis-primary-answers` while the server's still
 * answers, `replica-empty`.
 */
export async function promote(context: Context, host: ReplicaHost): Promise<void> {
  const { records, apps, places, order } = host;
  const before = await readTerm(records);
  if (before === undefined) throw new AppError("replica-empty", { server: places.server });
  if (!(await isPromoted(host.home))) await refuseWhileItAnswers(context, host);
  await setPromoted(host, true);
  for (const redis of [records, apps]) await lead(redis, order.host);
  await copyUsers(host);
}

async function lead(redis: Database, host: string): Promise<void> {
  const { role } = await readReplication(redis);
  if (role === "replica") await redis.replicaof("NO", "ONE");
  const term = await readTerm(redis);
  if (term?.host !== host) await beginTerm(redis, host, [term], Date.now());
}

async function refuseWhileItAnswers({ settings }: Context, { places, order }: ReplicaHost): Promise<void> {
  const { server, redisPort } = places;
  const url = `rediss://${order.user}:${order.password}@${server}:${redisPort}`;
  const found = await probeRedis({ kind: "url", url, ca: await redisAuthority(settings) });
  if (found?.replication.role === "primary") throw new AppError("redis-primary-answers", { server });
}

/** Makes both replicas again. What they have got as the primaries is lost. */
export async function demote(host: ReplicaHost): Promise<void> {
  const { records, apps, places } = host;
  await setPromoted(host, false);
  await records.replicaof(places.server, places.redisPort);
  await apps.replicaof(places.server, places.appsPort);
}
