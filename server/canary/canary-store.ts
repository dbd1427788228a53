import type { AppKeys } from "../../core/records/apps/app-keys.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { ADD_EVENTS, eventsArgument } from "../../core/records/events/add-events.js";
import type { NewEvent } from "../../core/records/events/event-record.js";
import { keys } from "../../core/redis/keys.js";
import { canaryRecordSchema, type CanaryRecord } from "./canary-record.js";

export const CANARY_KEYS: AppKeys = { own: [keys.canaries] };

const KEPT = 20;

/** How each release did as the canary. */
export class CanaryStore {
  constructor(private readonly redis: Database) {}

  async find(app: string, release: number): Promise<CanaryRecord | undefined> {
    const text = await this.redis.hget(keys.canaries(app), String(release));
    return text === null ? undefined : canaryRecordSchema.parse(JSON.parse(text));
  }

  /** Newest first. */
  async list(app: string): Promise<CanaryRecord[]> {
    const texts = await this.redis.hvals(keys.canaries(app));
    return texts
      .map((text) => canaryRecordSchema.parse(JSON.parse(text)))
      .sort((a, b) => b.release - a.release);
  }

  /** `eventsOf`: what the change means, seen from the record that Redis has. Pure; may run again when that changes meanwhile. */
  async save(
    record: CanaryRecord,
    eventsOf: (before: CanaryRecord | undefined) => readonly NewEvent[] = () => [],
  ): Promise<void> {
    const [key, field] = [keys.canaries(record.app), String(record.release)];
    for (let attempt = 0; attempt < 50; attempt++) {
      const before = (await this.redis.hget(key, field)) ?? "";
      const events = eventsOf(before === "" ? undefined : canaryRecordSchema.parse(JSON.parse(before)));
      const args = [field, JSON.stringify(record), before, eventsArgument(events)];
      if ((await this.redis.eval(SAVE, 2, key, keys.events, ...args)) === 1) return;
    }
    throw new AppError("internal", { reason: `the canary of ${record.app} changes all the time` });
  }

  /** Forgets all but the newest few. */
  async prune(app: string): Promise<void> {
    const numbers = (await this.redis.hkeys(keys.canaries(app))).map(Number).sort((a, b) => b - a);
    for (const number of numbers.slice(KEPT)) await this.redis.hdel(keys.canaries(app), String(number));
  }
}

/**
 * KEYS: canaries hash, events stream. ARGV: release number, record, the record's text before ("" none), the events.
 * Answer: 1, or 0 when the record is not what `before` says.
 */
const SAVE = `${ADD_EVENTS}
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
addEvents(KEYS[2], ARGV[4])
return 1`;
