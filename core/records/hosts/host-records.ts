import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import { actorOf, type Actor } from "../events/actor.js";
import { removeField } from "../events/change-field.js";
import { BY_SLUICE } from "../events/event-record.js";
import { hostRecordSchema, type HostRecord } from "./host-record.js";

/** The hosts that were ever seen and not removed. */
export class HostRecords {
  constructor(private readonly redis: Database) {}

  /**
   * Changes a host's record, or makes it. `change` runs again when another writer was faster: what that wrote is in
   * `before`, and stays unless `change` replaces it.
   */
  async update(id: string, change: (before: HostRecord | undefined) => HostRecord): Promise<void> {
    for (;;) {
      const before = await this.redis.hget(keys.hosts, id);
      const after = JSON.stringify(change(before === null ? undefined : parse(before)));
      if (before === after) return;
      const isWritten = await this.redis.eval(REPLACE, 1, keys.hosts, id, before ?? "", after);
      if (isWritten === 1) return;
    }
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

  async remove(id: string, actor: Actor = { by: BY_SLUICE }): Promise<void> {
    const event = { ...actorOf(actor), app: "", type: "host.removed", data: { subject: id } } as const;
    await removeField(this.redis, keys.hosts, id, event);
  }
}

/** KEYS: hosts hash. ARGV: host, the record as it was read ("" for none), the new one. Answer: 1, or 0 when it has changed since. */
const REPLACE = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`;

function parse(text: string): HostRecord {
  return hostRecordSchema.parse(JSON.parse(text));
}
