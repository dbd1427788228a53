import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import { ADD_EVENTS, eventsArgument } from "../events/add-events.js";
import { removeField } from "../events/change-field.js";
import type { NewEvent } from "../events/event-record.js";
import { fleetHostSchema, type FleetHost } from "./fleet-host.js";

/** The hosts that Sluice configures, by name. Only the server writes them. */
export class FleetHosts {
  constructor(private readonly redis: Database) {}

  /** By name. */
  async list(): Promise<FleetHost[]> {
    const texts = await this.redis.hvals(keys.fleetHosts);
    return texts.map(parse).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  }

  async find(name: string): Promise<FleetHost | undefined> {
    const text = await this.redis.hget(keys.fleetHosts, name);
    return text === null ? undefined : parse(text);
  }

  /** False, and nothing is written, if there is a host of that name. */
  async add(host: FleetHost, event: NewEvent): Promise<boolean> {
    return this.replace(host.name, "", JSON.stringify(host), event);
  }

  /**
   * Returns what was written; undefined if there is no host of that name any more. `change` runs again when another writer was
   * faster.
   */
  async update(
    name: string,
    change: (before: FleetHost) => FleetHost,
    event?: NewEvent,
  ): Promise<FleetHost | undefined> {
    for (;;) {
      const text = await this.redis.hget(keys.fleetHosts, name);
      if (text === null) return undefined;
      const after = change(parse(text));
      if (await this.replace(name, text, JSON.stringify(after), event)) return after;
    }
  }

  async remove(name: string, event: NewEvent): Promise<void> {
    await removeField(this.redis, keys.fleetHosts, name, event);
  }

  private async replace(
    name: string,
    before: string,
    after: string,
    event: NewEvent | undefined,
  ): Promise<boolean> {
    const events = eventsArgument(event === undefined ? [] : [event]);
    const answer = await this.redis.eval(
      REPLACE,
      2,
      keys.fleetHosts,
      keys.events,
      name,
      before,
      after,
      events,
    );
    return answer === 1;
  }
}

/** KEYS: hosts hash, events stream. ARGV: name, the record as it was read ("" for none), the new one, the events. Answer: 1, or 0 when it has changed since. */
const REPLACE = `${ADD_EVENTS}
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
addEvents(KEYS[2], ARGV[4])
return 1`;

function parse(text: string): FleetHost {
  return fleetHostSchema.parse(JSON.parse(text));
}
