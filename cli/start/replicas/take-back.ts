import { AppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import type { Log } from "../../../core/log.js";
import type { RedisAddress } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { SERVER_USER } from "../../../core/redis/host-user.js";
import type { RedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { beginTerm, readTerm, type RedisTerm } from "../../../core/redis/replicas/redis-term.js";
import { readReplication, type Replication } from "../../../core/redis/replicas/replication.js";
import { probeRedis, withRedis } from "./probe-redis.js";

const POLL_MS = 50;
const TELL_MS = 10_000;
/** Without a connection to the replica. */
const LINK_TIMEOUT_MS = 30_000;
/** For so long at most the replica takes no writes: it takes them again when all is fetched. */
const PAUSE_MS = 10_000;

export interface TakeBackOptions {
  /** For people: `Redis`, `the apps' Redis`. */
  readonly name: string;
  /** The server's own. */
  readonly own: Database;
  /** The server's host. */
  readonly host: string;
  /** Its private address. */
  readonly address: string;
  readonly port: number;
  /** Certificate (PEM) of who vouches for the replicas; undefined: without TLS. */
  readonly ca: string | undefined;
  readonly replicas: RedisPlaces["replicas"];
  /** Of the server's user of a replica. */
  readonly passwordOf: (host: string) => string;
  readonly log: Log;
}

type Replica = RedisPlaces["replicas"][number];
export interface Promoted {
  readonly replica: Replica;
  readonly term: RedisTerm;
}

/**
 * Before the server begins: a replica that was made the primary while it was away has what was written since. That is taken
 * back, and it becomes a replica again. One that does not answer may have been made the primary as well: from then on the
 * server's is a line of its own, so that both are never taken for one. Throws `redis-not-taken-back`.
 */
export async function takeBack(options: TakeBackOptions): Promise<void> {
  const { own, host, log, name } = options;
  const { term, promoted, ahead, isOneSilent } = await look(options);
  if (ahead !== undefined) await takeFrom(ahead, term, options);
  else if (isOneSilent) await beginTerm(own, host, [term], Date.now());
  for (const one of promoted) {
    if (one === ahead) continue;
    if (isTaken(one.term, await readTerm(own))) await demote(one.replica, options);
    else
      log.error(
        { host: one.replica.host, promotedAt: one.term.at },
        `${name} at ${one.replica.host} was made the primary and has changes that the server's has not: docs/redis-replicas.md says what to do`,
      );
  }
}

/** The replica that is the primary by a later term than the server's own; undefined when none says so. */
export async function findAhead(options: TakeBackOptions): Promise<Promoted | undefined> {
  return (await look(options)).ahead;
}

interface View {
  readonly term: RedisTerm | undefined;
  readonly promoted: readonly Promoted[];
  readonly ahead: Promoted | undefined;
  readonly isOneSilent: boolean;
}

async function look(options: TakeBackOptions): Promise<View> {
  const term = await readTerm(options.own);
  const found = await Promise.all(
    options.replicas.map(async (replica) => ({
      replica,
      probed: await probeRedis(placeOf(options, replica)),
    })),
  );
  const promoted = found.flatMap(({ replica, probed }) =>
    probed?.replication.role === "primary" && probed.term !== undefined
      ? [{ replica, term: probed.term }]
      : [],
  );
  const [ahead] = promoted
    .filter((one) => one.term.number > (term?.number ?? 0))
    .sort((a, b) => b.term.number - a.term.number);
  return { term, promoted, ahead, isOneSilent: found.some(({ probed }) => probed === undefined) };
}

/** Whether all that was written in a term is in a later one. */
export function isTaken(earlier: RedisTerm, later: RedisTerm | undefined): boolean {
  return later !== undefined && (later.id === earlier.id || later.before.includes(earlier.id));
}

async function takeFrom(
  { replica, term }: Promoted,
  ownTerm: RedisTerm | undefined,
  options: TakeBackOptions,
): Promise<void> {
  const { own, port, ca, passwordOf, host, name, log } = options;
  log.warn({ host: replica.host, since: term.at }, `${name} is at ${replica.host}: taking it back`);
  await own.call(
    ...(["CONFIG", "SET", "masteruser", SERVER_USER, "masterauth", passwordOf(replica.host)] as const),
    ...(ca === undefined ? [] : ["tls-replication", "yes"]),
  );
  await own.replicaof(replica.address, port);
  await waitUntil(options, replica, ({ isInSync }) => isInSync);
  await withRedis(placeOf(options, replica), async (primary) => {
    await primary.call("CLIENT", "PAUSE", PAUSE_MS, "WRITE");
    try {
      const { offset } = await readReplication(primary);
      await waitUntil(options, replica, (now) => now.isInSync && now.offset >= offset);
      await own.replicaof("NO", "ONE");
      await beginTerm(own, host, [ownTerm, term], Date.now());
      await primary.replicaof(options.address, port);
    } finally {
      await primary.call("CLIENT", "UNPAUSE");
    }
  });
  log.warn({ host: replica.host }, `${name} is here again, with all that was written at ${replica.host}`);
}

async function waitUntil(
  { own, name, log }: TakeBackOptions,
  { host }: Replica,
  isSo: (replication: Replication) => boolean,
): Promise<void> {
  const begun = Date.now();
  let [linkedAt, toldAt] = [begun, begun];
  for (;;) {
    const replication = await readReplication(own);
    if (isSo(replication)) return;
    const now = Date.now();
    if (replication.downSeconds === undefined) linkedAt = now;
    if (now - linkedAt > LINK_TIMEOUT_MS) throw new AppError("redis-not-taken-back", { host });
    if (now - toldAt > TELL_MS) {
      toldAt = now;
      log.info(
        { seconds: Math.round((now - begun) / 1000) },
        `${name} is still being taken back from ${host}`,
      );
    }
    await systemClock.sleep(POLL_MS);
  }
}

async function demote(replica: Replica, options: TakeBackOptions): Promise<void> {
  await withRedis(placeOf(options, replica), async (redis) => redis.replicaof(options.address, options.port));
}

function placeOf({ port, ca, passwordOf }: TakeBackOptions, { host, address }: Replica): RedisAddress {
  const url = `${ca === undefined ? "redis" : "rediss"}://${SERVER_USER}:${passwordOf(host)}@${address}:${port}`;
  return { kind: "url", url, ca };
}
