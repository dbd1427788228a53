import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";
import { canaryRecordSchema, type CanaryRecord } from "./canary-record.js";

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

  async save(record: CanaryRecord): Promise<void> {
    await this.redis.hset(keys.canaries(record.app), String(record.release), JSON.stringify(record));
  }

  /** Forgets all but the newest few. */
  async prune(app: string): Promise<void> {
    const numbers = (await this.redis.hkeys(keys.canaries(app))).map(Number).sort((a, b) => b - a);
    for (const number of numbers.slice(KEPT)) await this.redis.hdel(keys.canaries(app), String(number));
  }
}
