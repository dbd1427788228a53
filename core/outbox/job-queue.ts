import type { Database } from "../redis/database.js";
import { keys } from "../redis/keys.js";
import { parseRecord } from "../redis/parse-record.js";
import { givenUpJobSchema, outboxJobSchema, type GivenUpJob, type OutboxJob } from "./outbox-job.js";

/** A job in work: nobody else gets it, nor another of its lane, while the lease is renewed. */
export interface TakenJob {
  readonly job: OutboxJob;
  readonly token: string;
}

/** What became of a try. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly job: OutboxJob; readonly laneClosedUntil?: number }
  | { readonly kind: "given-up"; readonly at: number; readonly reason: string };

export const GIVEN_UP_KEPT = 100;
const ONCE_SECONDS = 7 * 24 * 3600;

/**
 * An outbox's jobs in Redis, in lanes. All times are ms since 1970 by the caller's clock: machines that share one must
 * agree to a few seconds, as leases do not last longer. Every method throws `redis-unavailable`.
 */
export class JobQueue {
  private readonly keys: readonly string[];
  private readonly givenUpKey: string;
  private readonly agesKey: string;

  constructor(
    private readonly redis: Database,
    name: string,
  ) {
    const own = keys.outbox(name);
    this.keys = [
      own.jobs,
      own.ages,
      own.lanes,
      own.closed,
      own.newest,
      own.leases,
      own.givenUp,
      own.queuePrefix,
      own.oncePrefix,
    ];
    this.givenUpKey = own.givenUp;
    this.agesKey = own.ages;
  }

  /** Of more than `mostWaiting` the oldest is given up. Nothing is added when `once` was, in the last week. */
  async add(job: OutboxJob, mostWaiting: number, once = ""): Promise<void> {
    const { id, lane, key = "", firstAt } = job;
    const text = JSON.stringify(job);
    await this.run(ADD, [id, text, lane, key, firstAt, mostWaiting, GIVEN_UP_KEPT, once, ONCE_SECONDS]);
  }

  /** The next job that is due; or, without one, when there will be one. */
  async take(
    now: number,
    leaseUntil: number,
    token: string,
  ): Promise<TakenJob | { readonly job: undefined; readonly nextAt: number | undefined }> {
    // As TAKE's header says.
    const [at, text] = (await this.run(TAKE, [now, leaseUntil, token])) as string[];
    if (text === undefined) return { job: undefined, nextAt: at === undefined ? undefined : Number(at) };
    return { job: outboxJobSchema.parse(JSON.parse(text)), token };
  }

  /** Whether it is still ours. */
  async renew({ job, token }: TakenJob, leaseUntil: number): Promise<boolean> {
    return (await this.run(RENEW, [job.id, token, job.lane, leaseUntil])) === 1;
  }

  /** Changes nothing when the lease was lost meanwhile. One to be tried again goes when a newer one has its key. */
  async settle({ job, token }: TakenJob, outcome: Outcome): Promise<void> {
    const isAgain = outcome.kind === "again";
    const record: GivenUpJob | undefined =
      outcome.kind === "given-up" ? { job, at: outcome.at, reason: outcome.reason } : undefined;
    await this.run(SETTLE, [
      job.id,
      token,
      isAgain ? JSON.stringify(outcome.job) : "",
      isAgain ? outcome.job.dueAt : 0,
      (isAgain ? outcome.laneClosedUntil : undefined) ?? 0,
      record === undefined ? "" : JSON.stringify(record),
      GIVEN_UP_KEPT,
    ]);
  }

  /** Newest first. */
  async givenUp(): Promise<GivenUpJob[]> {
    const texts = await this.redis.lrange(this.givenUpKey, 0, -1);
    return texts.map((text) => parseRecord(givenUpJobSchema, text, this.givenUpKey));
  }

  /** How many there are, those in work included. */
  async size(): Promise<number> {
    return this.redis.zcard(this.agesKey);
  }

  private async run(script: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.redis.eval(SHARED + script, this.keys.length, ...this.keys, ...args);
  }
}

/**
 * KEYS of every script: jobs, ages, lanes, closed, newest, leases, given up, prefixes of the lanes' queues and of what was added once. A lane's score
 * in `lanes` is when its first job is due, or the end of what keeps it closed if that is later.
 */
const SHARED = `
local jobs, ages, lanes, closed, newest, leases, givenUp, queue, added = unpack(KEYS)
local function forget(id, job)
  redis.call('HDEL', jobs, id)
  redis.call('ZREM', ages, id)
  redis.call('HDEL', leases, id)
  redis.call('ZREM', queue .. job.lane, id)
  if job.key and redis.call('HGET', newest, job.key) == id then redis.call('HDEL', newest, job.key) end
end
local function isReplaced(id, job)
  return job.key and redis.call('HGET', newest, job.key) ~= id
end
local function arrange(lane)
  local first = redis.call('ZRANGE', queue .. lane, 0, 0, 'WITHSCORES')
  if #first == 0 then
    redis.call('ZREM', lanes, lane)
    redis.call('HDEL', closed, lane)
  else
    local from = tonumber(redis.call('HGET', closed, lane) or '0')
    redis.call('ZADD', lanes, math.max(tonumber(first[2]), from), lane)
  end
end
local function remember(record, kept)
  redis.call('LPUSH', givenUp, record)
  redis.call('LTRIM', givenUp, 0, kept - 1)
end
`;

/**
 * ARGV: id, job, lane, key or nothing, now, most waiting, given-up records kept, what may be added only once or nothing, and
 * for how many seconds. Answer: 1 added, 0 it was before.
 */
const ADD = `
local id, text, lane, key, now, most, kept, once, seconds = unpack(ARGV)
if once ~= '' and not redis.call('SET', added .. once, id, 'NX', 'EX', seconds) then return 0 end
if key ~= '' then
  local old = redis.call('HGET', newest, key)
  -- One that is in work is let finish; it is not tried again.
  if old and redis.call('HEXISTS', leases, old) == 0 then
    local job = cjson.decode(redis.call('HGET', jobs, old))
    forget(old, job)
    arrange(job.lane)
  end
  redis.call('HSET', newest, key, id)
end
redis.call('HSET', jobs, id, text)
redis.call('ZADD', ages, now, id)
redis.call('ZADD', queue .. lane, now, id)
arrange(lane)
if redis.call('ZCARD', ages) > tonumber(most) then
  for _, oldest in ipairs(redis.call('ZRANGE', ages, 0, redis.call('HLEN', leases))) do
    if redis.call('HEXISTS', leases, oldest) == 0 then
      local dropped = redis.call('HGET', jobs, oldest)
      local job = cjson.decode(dropped)
      -- Not encoded again: cjson cannot tell an empty list from an empty object.
      remember('{"job":' .. dropped .. ',"at":' .. now .. ',"reason":"more than ' .. most .. ' were waiting"}', kept)
      forget(oldest, job)
      arrange(job.lane)
      break
    end
  end
end
return 1`;

/** ARGV: now, end of the lease, token. Answer: nothing to do: {}; nothing due: {when}; else {since when, job}. */
const TAKE = `
while true do
  local head = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
  if #head == 0 then return {} end
  local lane, at = head[1], head[2]
  if tonumber(at) > tonumber(ARGV[1]) then return {at} end
  local id = redis.call('ZRANGE', queue .. lane, 0, 0)[1]
  local text = redis.call('HGET', jobs, id)
  local job = cjson.decode(text)
  if isReplaced(id, job) then
    -- It was in work when the newer one came, and whoever had it is gone.
    forget(id, job)
    arrange(lane)
  else
    redis.call('HSET', leases, id, ARGV[3])
    redis.call('HSET', closed, lane, ARGV[2])
    arrange(lane)
    return {at, text}
  end
end`;

/** ARGV: id, token, lane, end of the lease. Answer: 1 renewed, 0 lost. */
const RENEW = `
if redis.call('HGET', leases, ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', closed, ARGV[3], ARGV[4])
arrange(ARGV[3])
return 1`;

/**
 * ARGV: id, token, the job if it is to be tried again, when, until when its lane stays closed (0: it opens), the record
 * if it was given up, given-up records kept. Answer: 1 settled, 0 the lease was lost.
 */
const SETTLE = `
local id, token, text, dueAt, closedUntil, record, kept = unpack(ARGV)
if redis.call('HGET', leases, id) ~= token then return 0 end
local job = cjson.decode(redis.call('HGET', jobs, id))
redis.call('HDEL', leases, id)
redis.call('HSET', closed, job.lane, closedUntil)
if text == '' or isReplaced(id, job) then
  forget(id, job)
else
  redis.call('HSET', jobs, id, text)
  redis.call('ZADD', queue .. job.lane, dueAt, id)
end
if record ~= '' then remember(record, kept) end
arrange(job.lane)
return 1`;
