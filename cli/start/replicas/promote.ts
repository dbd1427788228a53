import { AppError } from "../../../core/errors/app-error.js";
import type { Database } from "../../../core/redis/database.js";
import { beginTerm, readTerm, type RedisTerm } from "../../../core/redis/replicas/redis-term.js";
import { readReplication, type Replication } from "../../../core/redis/replicas/replication.js";
import { redisAuthority } from "../services/redis-authority.js";
import type { Context } from "../context.js";
import { findPrimary, otherPlaces } from "./find-primary.js";
import { copyUsers } from "./keep-replica.js";
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
 * Makes both Redis of this host the primaries. Can be repeated. Throws `redis-primary-answers` while another primary
 * answers, `replica-empty`.
 */
export async function promote(context: Pick<Context, "settings">, host: ReplicaHost): Promise<void> {
  const { records, apps, places, order } = host;
  const before = await readTerm(records);
  if (before === undefined) throw new AppError("replica-empty", { server: places.server });
  if (!(await isPromoted(host.home)))
    await refuseWhileOneAnswers(host, await redisAuthority(context.settings));
  // First: two replicas on a host that is marked as the primary's mean that the server has taken them back (`keepReplica`).
  await lead(records, order.host);
  await setPromoted(host, true);
  await lead(apps, order.host);
  await copyUsers(host);
}

async function lead(redis: Database, host: string): Promise<void> {
  const { role } = await readReplication(redis);
  if (role === "replica") await redis.replicaof("NO", "ONE");
  const term = await readTerm(redis);
  if (term?.host !== host) await beginTerm(redis, host, [term], Date.now());
}

async function refuseWhileOneAnswers(host: ReplicaHost, ca: string | undefined): Promise<void> {
  const primary = await findPrimary(otherPlaces(host, ca));
  if (primary !== undefined) throw new AppError("redis-primary-answers", { address: primary.address });
}

/** Makes both replicas again. What they have got as the primaries is lost. */
export async function demote(host: ReplicaHost): Promise<void> {
  const { records, apps, places } = host;
  await setPromoted(host, false);
  await records.replicaof(places.server, places.redisPort);
  await apps.replicaof(places.server, places.appsPort);
}
