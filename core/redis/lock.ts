import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Database } from "./database.js";
import { AppError } from "../errors/app-error.js";
import { keys } from "./keys.js";

const LIFE_MS = 15_000;
const RENEW_MS = 4000;

const holderSchema = z.object({ token: z.string(), who: z.string(), since: z.string(), why: z.string() });

/** Who holds a lock, since when, and why. */
export type LockHolder = z.infer<typeof holderSchema>;

export interface HeldLock {
  /** Belongs into every write that the lock protects (`HOLDS`): whoever has lost it can write no more, even if late. */
  readonly token: string;
  /** Aborts with `release-lock-lost` when the lock is lost: the work it protects must stop. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** A Lua function for scripts: whether a lock is held with a token. Without a token (`''`) nothing is asked. */
export const HOLDS = `
local function holds(lock, token)
  if token == '' then return true end
  local held = redis.call('GET', lock)
  return held and cjson.decode(held).token == token
end
`;

/** KEYS: lock. ARGV: holder, its `who`, life in ms. Answer: what another holds, or nothing when it is taken. */
const TAKE = `
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held).who ~= ARGV[2] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return false`;

/** KEYS: lock. ARGV: token, life in ms. Answer: 1 renewed, 0 lost. */
const RENEW = `${HOLDS}
if holds(KEYS[1], ARGV[1]) then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

/** KEYS: lock. ARGV: token. Answer: 1 given back, 0 it was not ours any more. */
const GIVE_BACK = `${HOLDS}
if holds(KEYS[1], ARGV[1]) then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Takes the right to release `app`. A lock that this very server left behind (same `who`) is taken over: it has one release
 * of an app at a time, so whatever still has the old token is through, or late. Throws `release-busy`.
 */
export async function takeLock(
  redis: Database,
  app: string,
  who: string,
  why: string,
  { renewMs = RENEW_MS, lifeMs = LIFE_MS } = {},
): Promise<HeldLock> {
  const holder: LockHolder = { token: randomUUID(), who, since: new Date().toISOString(), why };
  const key = keys.lock(app);
  const other = await redis.eval(TAKE, 1, key, JSON.stringify(holder), who, lifeMs);
  if (typeof other === "string") {
    const { who: busy, since } = holderSchema.parse(JSON.parse(other));
    throw new AppError("release-busy", { app, who: busy, since });
  }
  return keep(redis, app, holder.token, { renewMs, lifeMs });
}

export async function readLock(redis: Database, app: string): Promise<LockHolder | undefined> {
  const text = await redis.get(keys.lock(app));
  return text === null ? undefined : holderSchema.parse(JSON.parse(text));
}

function keep(
  redis: Database,
  app: string,
  token: string,
  { renewMs, lifeMs }: { readonly renewMs: number; readonly lifeMs: number },
): HeldLock {
  const key = keys.lock(app);
  const lost = new AbortController();
  // By a clock that is never set.
  let renewedAt = performance.now();
  const giveUp = (): void => {
    clearInterval(renewal);
    lost.abort(new AppError("release-lock-lost", { app }));
  };
  const renewal = setInterval(() => {
    const askedAt = performance.now();
    redis.eval(RENEW, 1, key, token, lifeMs).then(
      (answer) => {
        if (answer === 1) renewedAt = askedAt;
        else giveUp();
      },
      () => {
        // Redis may be back before the lock has run out; only then is it lost.
        if (performance.now() - renewedAt > lifeMs) giveUp();
      },
    );
  }, renewMs);
  return {
    token,
    lost: lost.signal,
    release: async () => {
      clearInterval(renewal);
      // A lock that cannot be given back runs out by itself.
      await redis.eval(GIVE_BACK, 1, key, token).catch(() => 0);
    },
  };
}
