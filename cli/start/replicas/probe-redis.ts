import { silentLog } from "../../../core/log.js";
import { connectRedis, openRedis, type RedisAddress } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { readTerm, type RedisTerm } from "../../../core/redis/replicas/redis-term.js";
import { readReplication, type Replication } from "../../../core/redis/replicas/replication.js";

const TIMEOUT_MS = 3000;

export interface ProbedRedis {
  readonly replication: Replication;
  readonly term: RedisTerm | undefined;
}

/** What a Redis says of itself. Undefined: it did not answer, or does not let us in; that says nothing of what it is. */
export async function probeRedis(address: RedisAddress): Promise<ProbedRedis | undefined> {
  try {
    return await withRedis(address, async (redis) => ({
      replication: await readReplication(redis),
      term: await readTerm(redis),
    }));
  } catch {
    return undefined;
  }
}

/** With a connection of its own, which ends with the work. Throws `redis-unavailable` after 3 s without an answer. */
export async function withRedis<T>(address: RedisAddress, work: (redis: Database) => Promise<T>): Promise<T> {
  const redis = connectRedis(address, silentLog, {
    ...{ connectTimeout: TIMEOUT_MS, commandTimeout: TIMEOUT_MS },
    retryStrategy: () => null,
  });
  try {
    await openRedis(redis);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
