import type { RedisOptions } from "ioredis";
import type { Log } from "../log.js";
import { Database } from "./database.js";
import { redisError } from "./redis-error.js";

export type RedisAddress =
  /** `ca`: certificate (PEM) of who vouches for a server of `rediss://`; undefined: the public authorities. */
  | { readonly kind: "url"; readonly url: string; readonly ca?: string | undefined }
  | { readonly kind: "socket"; readonly path: string; readonly password: string };

const COMMAND_TIMEOUT_MS = 5000;
const LONGEST_PAUSE_MS = 1000;

/**
 * A connection that returns by itself. A command fails at once while Redis is away (nothing is queued), so that callers
 * decide what an absent Redis means for them; and it fails as `Database` says, with `redis-unavailable` or `redis-refused`.
 */
export function connectRedis(
  address: RedisAddress,
  log: Log,
  more: Pick<RedisOptions, "connectTimeout" | "commandTimeout" | "retryStrategy"> = {},
): Database {
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, LONGEST_PAUSE_MS),
    lazyConnect: true,
    ...more,
  };
  const redis =
    address.kind === "url"
      ? new Database(plainUrl(address.url), { ...options, ...tlsOf(address.url, address.ca) })
      : new Database({ ...options, path: address.path, password: address.password });
  redis.on("error", (error: Error) => log.warn({ reason: error.message }, "redis connection"));
  return redis;
}

/** ioredis takes either the URL's word for TLS, without options, or these. */
export function tlsOf(url: string, ca: string | undefined): { tls?: { ca?: string } } {
  if (!url.startsWith("rediss:")) return {};
  return { tls: ca === undefined ? {} : { ca } };
}

export function plainUrl(url: string): string {
  return url.replace(/^rediss:/, "redis:");
}

/** A second connection for subscriptions: it may wait for ever and subscribes again after a break. */
export function subscriberOf(redis: Database): Database {
  return redis.another({ enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: true });
}

/** Connects, or throws `redis-unavailable`. */
export async function openRedis(redis: Database): Promise<void> {
  try {
    if (redis.status === "wait") await redis.connect();
    await redis.ping();
  } catch (error) {
    throw redisError(error, "the connection");
  }
}

/** ms since 1970 by Redis' own clock, which all who share it agree on. */
export async function redisTime(redis: Database): Promise<number> {
  const [seconds = 0, microseconds = 0] = await redis.time();
  return seconds * 1000 + Math.floor(microseconds / 1000);
}
