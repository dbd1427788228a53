import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import { hostRecordSchema, type HostRecord } from "./host-record.js";

/** The hosts that were ever seen and not removed. */
export class HostRecords {
  constructor(private readonly redis: Database) {}

  async save(record: HostRecord): Promise<void> {
    await this.redis.hset(keys.hosts, record.id, JSON.stringify(record));
  }

  async find(id: string): Promise<HostRecord | undefined> {
    const text = await this.redis.hget(keys.hosts, id);
    return text === null ? undefined : parse(text);
  }

  /** By name. */
  async list(): Promise<HostRecord[]> {
    const texts = await this.redis.hvals(keys.hosts);
    return texts.map(parse).sort((a, b) => a.id.localeCompare(b.id));
  }

  async remove(id: string): Promise<void> {
    await this.redis.hdel(keys.hosts, id);
  }
}

function parse(text: string): HostRecord {
  return hostRecordSchema.parse(JSON.parse(text));
}
