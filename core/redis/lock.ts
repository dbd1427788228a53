import type { Redis } from "ioredis";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { AppError } from "../app-error.js";
import { keys } from "./keys.js";

const LIFE_MS = 15_000;
const RENEW_MS = 4000;

const holderSchema = z.object({ token: z.string(), who: z.string(), since: z.string(), why: z.string() });

/** Who holds a lock, since when, and why. */
export type LockHolder = z.infer<typeof holderSchema>;

export interface HeldLock {
  /** Aborts when the lock is lost: the work it protects must stop. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** KEYS: lock. ARGV: token, life in ms. Answer: 1 renewed, 0 lost. */
const RENEW = `
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held).token == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0`;

/** KEYS: lock. ARGV: token. Answer: 1 given back, 0 it was not ours any more. */
const GIVE_BACK = `
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held).token == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0`;

/** Takes the right to release `app`. A lock that this very server left behind (same `who`) is taken over. Throws `release-busy`. */
export async function takeLock(redis: Redis, app: string, who: string, why: string): Promise<HeldLock> {
  const holder: LockHolder = { token: randomUUID(), who, since: new Date().toISOString(), why };
  const key = keys.lock(app);
  if ((await redis.set(key, JSON.stringify(holder), "PX", LIFE_MS, "NX")) === null) {
    const other = await readLock(redis, app);
    if (other !== undefined && other.who !== who) {
      throw new AppError("release-busy", { app, who: other.who, since: other.since });
    }
    await redis.set(key, JSON.stringify(holder), "PX", LIFE_MS);
  }
  return keep(redis, key, holder.token);
}

export async function readLock(redis: Redis, app: string): Promise<LockHolder | undefined> {
  const text = await redis.get(keys.lock(app));
  return text === null ? undefined : holderSchema.parse(JSON.parse(text));
}

function keep(redis: Redis, key: string, token: string): HeldLock {
  const lost = new AbortController();
  const giveUp = (): void =>
    lost.abort(new AppError("redis-unavailable", { reason: "the release lock was lost" }));
  let renewedAt = Date.now();
  const renewal = setInterval(() => {
    redis.eval(RENEW, 1, key, token, LIFE_MS).then(
      (answer) => {
        if (answer === 1) renewedAt = Date.now();
        else giveUp();
      },
      () => {
        // Redis may be back before the lock has run out; only then is it lost.
        if (Date.now() - renewedAt > LIFE_MS) giveUp();
      },
    );
  }, RENEW_MS);
  return {
    lost: lost.signal,
    release: async () => {
      clearInterval(renewal);
      // A lock that cannot be given back runs out by itself.
      await redis.eval(GIVE_BACK, 1, key, token).catch(() => 0);
    },
  };
}
