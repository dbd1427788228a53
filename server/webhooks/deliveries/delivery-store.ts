import type { AppKeys } from "../../../core/records/apps/app-keys.js";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";
import {
  deliveryRecordSchema,
  refusedDeliverySchema,
  type DeliveryRecord,
  type RefusedDelivery,
} from "./delivery-record.js";

export const DELIVERY_KEYS: AppKeys = {
  own: [
    keys.deliveries,
    keys.deliveryCounter,
    keys.deliveryIds,
    keys.deliveryQueue,
    keys.newestDeliveries,
    keys.refusedDeliveries,
  ],
  sets: [keys.deliveryApps],
};

export const KEPT_DELIVERIES = 200;
/** Two a delivery: its name and its body's digest. */
const KEPT_IDS = 40_000;
const KEPT_REFUSED = 50;

/** A delivery with the number that it got in its app. */
export interface Delivery extends DeliveryRecord {
  readonly number: number;
}

/** What forges delivered: written before it is answered, so that nothing that was answered is lost. */
export class DeliveryStore {
  constructor(private readonly redis: Database) {}

  /**
   * Keeps a delivery, in its turn behind those that wait. `duplicate`: one of its id came before, or one with the same body
   * that is not the newest of its branches any more; the newest may come again (`repeated`). `gone`: the app has no webhook
   * any more, and nothing was kept.
   */
  async accept(app: string, record: DeliveryRecord, now: number): Promise<number | "duplicate" | "gone"> {
    const number = await this.redis.eval(
      ACCEPT,
      7,
      ...accepting(app),
      ...[app, record.id, String(now), JSON.stringify(record), record.state === "waiting" ? "1" : "0"],
      ...[String(KEPT_IDS), String(KEPT_DELIVERIES), keys.deliveriesChannel, record.body ?? ""],
      ...record.updates.map(({ branch }) => branch),
    );
    if (number === -1) return "gone";
    return number === 0 ? "duplicate" : Number(number);
  }

  /** Only for people: losing one is no harm. */
  async noteRefused(app: string, refused: RefusedDelivery): Promise<void> {
    await this.redis
      .multi()
      .lpush(keys.refusedDeliveries(app), JSON.stringify(refused))
      .ltrim(keys.refusedDeliveries(app), 0, KEPT_REFUSED - 1)
      .exec();
  }

  /** Apps with deliveries that are not finished. */
  async waitingApps(): Promise<string[]> {
    return this.redis.smembers(keys.deliveryApps);
  }

  /** The oldest deliveries of an app that are not finished, at most `count`. */
  async oldest(app: string, count: number): Promise<Delivery[]> {
    const numbers = await this.redis.zrange(keys.deliveryQueue(app), "0", String(count - 1));
    if (numbers.length === 0) return [];
    const texts = await this.redis.hmget(keys.deliveries(app), ...numbers);
    return numbers.flatMap((number, index) => parsed(number, texts[index]));
  }

  /** Branch → the number of the newest delivery that names it. */
  async newest(app: string): Promise<Map<string, number>> {
    const all = await this.redis.hgetall(keys.newestDeliveries(app));
    return new Map(Object.entries(all).map(([branch, number]) => [branch, Number(number)]));
  }

  async isWaiting(app: string, number: number): Promise<boolean> {
    const place = await this.redis.zscore(keys.deliveryQueue(app), String(number));
    return place !== null;
  }

  async find(app: string, number: number): Promise<Delivery | undefined> {
    const text = await this.redis.hget(keys.deliveries(app), String(number));
    return parsed(String(number), text)[0];
  }

  /** False, and nothing is written, when the delivery is gone, as it is with its app. */
  async save(app: string, { number, ...record }: Delivery): Promise<boolean> {
    const saved = await this.redis.eval(
      SAVE,
      1,
      keys.deliveries(app),
      String(number),
      record.id,
      JSON.stringify(record),
    );
    return saved === 1;
  }

  /** Saves them for the last time, and takes them out of the line. Leaves out those that are gone. */
  async finish(app: string, deliveries: readonly Delivery[]): Promise<void> {
    const names = [
      keys.deliveries(app),
      keys.deliveryQueue(app),
      keys.deliveryApps,
      keys.deliveryCounter(app),
    ];
    const pairs = deliveries.flatMap(({ number, ...record }) => [String(number), JSON.stringify(record)]);
    await this.redis.eval(FINISH, 4, ...names, app, String(KEPT_DELIVERIES), ...pairs);
  }

  /** Newest first. */
  async list(app: string): Promise<Delivery[]> {
    const all = await this.redis.hgetall(keys.deliveries(app));
    return Object.entries(all)
      .flatMap(([number, text]) => parsed(number, text))
      .sort((a, b) => b.number - a.number);
  }

  /** Newest first. */
  async refused(app: string): Promise<RefusedDelivery[]> {
    const texts = await this.redis.lrange(keys.refusedDeliveries(app), 0, -1);
    return texts.map((text) => refusedDeliverySchema.parse(JSON.parse(text)));
  }
}

function accepting(app: string): [string, string, string, string, string, string, string] {
  return [
    keys.deliveryIds(app),
    keys.deliveryCounter(app),
    keys.deliveries(app),
    keys.deliveryQueue(app),
    keys.deliveryApps,
    keys.newestDeliveries(app),
    keys.webhooks,
  ];
}

/**
 * KEYS: ids zset, counter, deliveries hash, queue zset, apps set, newest hash, webhooks. ARGV: app, id, now, record, 1 when it is to be
 * worked on, how many ids and how many records are kept, channel, the body's digest ("" none), then its branches. Answer:
 * its number, 0 when it was there, -1 when the app has no webhook.
 */
const ACCEPT = `
local function isNewest(body)
  for i = 10, #ARGV do
    local newest = redis.call('HGET', KEYS[6], ARGV[i])
    local record = newest and redis.call('HGET', KEYS[3], newest)
    if not record or cjson.decode(record).body ~= body then return false end
  end
  return #ARGV >= 10
end
local record = ARGV[4]
if redis.call('HEXISTS', KEYS[7], ARGV[1]) == 0 then return -1 end
if redis.call('ZSCORE', KEYS[1], ARGV[2]) then return 0 end
if ARGV[9] ~= '' then
  if redis.call('ZSCORE', KEYS[1], 'body:' .. ARGV[9]) then
    if not isNewest(ARGV[9]) then return 0 end
    record = '{"repeated":true,' .. string.sub(record, 2)
  end
  redis.call('ZADD', KEYS[1], ARGV[3], 'body:' .. ARGV[9])
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[6]))
local number = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[3], number, record)
if ARGV[5] == '1' then
  redis.call('ZADD', KEYS[4], number, number)
  redis.call('SADD', KEYS[5], ARGV[1])
  for i = 10, #ARGV do redis.call('HSET', KEYS[6], ARGV[i], number) end
  redis.call('PUBLISH', ARGV[8], ARGV[1])
end
local old = number - tonumber(ARGV[7])
if not redis.call('ZSCORE', KEYS[4], old) then redis.call('HDEL', KEYS[3], old) end
return number`;

/** Lua: whether the record of that number is of the delivery of that id: an app of the same name may count from 1 again. */
const IS_THERE = `
local function isThere(deliveries, number, id)
  local known = redis.call('HGET', deliveries, number)
  return known and cjson.decode(known).id == id
end
`;

/** KEYS: deliveries hash. ARGV: number, id, record. Answer: 1 saved, 0 it is gone. */
const SAVE = `${IS_THERE}
if not isThere(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`;

/**
 * KEYS: deliveries hash, queue zset, apps set, counter. ARGV: app, how many records are kept, then number, record, …. Those
 * that are so old by now that they are kept no more are forgotten.
 */
const FINISH = `${IS_THERE}
local newest = tonumber(redis.call('GET', KEYS[4]) or '0')
for i = 3, #ARGV, 2 do
  if isThere(KEYS[1], ARGV[i], cjson.decode(ARGV[i + 1]).id) then
    redis.call('ZREM', KEYS[2], ARGV[i])
    if newest - tonumber(ARGV[i]) >= tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], ARGV[i])
    else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
  end
end
if redis.call('ZCARD', KEYS[2]) == 0 then redis.call('SREM', KEYS[3], ARGV[1]) end
return 1`;

function parsed(number: string, text: string | null | undefined): Delivery[] {
  if (text === null || text === undefined) return [];
  return [{ ...deliveryRecordSchema.parse(JSON.parse(text)), number: Number(number) }];
}
