import { rm } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { exists } from "../../../core/files/exists.js";
import type { Home } from "../../../core/home.js";
import type { RedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import type { ReplicaOrder } from "../../../core/redis/replicas/replica-order.js";

/** What the replica of a host is started with. */
export interface ReplicaSetting {
  readonly home: Home;
  readonly order: ReplicaOrder;
  readonly places: RedisPlaces;
}

/** Parts of the configuration of both Redis of a replica's host. */
export function replicaIncludes(home: Home): { readonly records: string; readonly apps: string } {
  return { records: home.redis("replica.conf"), apps: home.appsRedis("replica.conf") };
}

/** Whether the Redis of this host was made the primary. */
export async function isPromoted(home: Home): Promise<boolean> {
  return exists(promotedFile(home));
}

/** Writes what both are started with from now on, and changes nothing in those that run. */
export async function setPromoted(setting: ReplicaSetting, isPrimary: boolean): Promise<void> {
  const { home } = setting;
  if (isPrimary) await writeFileAtomically(promotedFile(home), "");
  const [records, apps] = replicaParts(setting, isPrimary);
  const files = replicaIncludes(home);
  await writeFileAtomically(files.records, records, 0o600);
  await writeFileAtomically(files.apps, apps, 0o600);
  if (!isPrimary) await rm(promotedFile(home), { force: true });
}

function promotedFile(home: Home): string {
  return home.redis("promoted");
}

/** redis.io, "Replication". */
function replicaParts(
  { order, places }: ReplicaSetting,
  isPrimary: boolean,
): [records: string, apps: string] {
  const login = `masteruser ${order.user}\nmasterauth ${order.password}\nreplica-announce-ip ${order.address}\nrepl-diskless-sync-delay 0\n`;
  const of = (port: number): string => (isPrimary ? "" : `replicaof ${places.server} ${port}\n`);
  return [`${login}tls-replication yes\n${of(places.redisPort)}`, `${login}${of(places.appsPort)}`];
}
