import { randomUUID } from "node:crypto";
import type { Database } from "../core/redis/database.js";
import { keys } from "../core/redis/keys.js";

/** So long after its end another monitor takes over. */
const LIFE_MS = 5000;

/** KEYS: lead. ARGV: token, life in ms. Answer: 1 it is ours, 0 another's. */
const HOLD = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** KEYS: lead. ARGV: token. Answer: 1 given back, 0 it was not ours. */
const GIVE_BACK = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** Of all hosts' monitors one looks at the rules: who holds this. */
export class MonitorLead {
  readonly token: string;

  constructor(
    private readonly redis: Database,
    host: string,
  ) {
    this.token = `${host} ${randomUUID()}`;
  }

  /** Takes it or keeps it; to be called more often than every 5 s. */
  async hold(): Promise<boolean> {
    return (await this.redis.eval(HOLD, 1, keys.monitorLead, this.token, LIFE_MS)) === 1;
  }

  /** A lead that cannot be released expires by itself. */
  async giveBack(): Promise<void> {
    await this.redis.eval(GIVE_BACK, 1, keys.monitorLead, this.token).catch(() => 0);
  }
}
