import type { Batch, Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import { ADD_EVENTS, eventsArgument } from "./add-events.js";
import type { NewEvent } from "./event-record.js";

/** Writes one field of a hash and its event, in one step. */
export async function setField(
  redis: Database,
  hash: string,
  field: string,
  text: string,
  event: NewEvent,
): Promise<void> {
  await redis.eval(SET, 2, hash, keys.events, field, text, eventsArgument([event]));
}

/** Removes one field of a hash, and adds the event if the field was there. Returns whether it was. */
export async function removeField(
  redis: Database,
  hash: string,
  field: string,
  event: NewEvent,
): Promise<boolean> {
  return (await redis.eval(REMOVE, 2, hash, keys.events, field, eventsArgument([event]))) === 1;
}

/** Adds events to a batch of commands that makes the change. */
export function addEventsIn(batch: Batch, events: readonly NewEvent[]): void {
  if (events.length > 0) batch.eval(ADD, 1, keys.events, eventsArgument(events));
}

/** KEYS: hash, events stream. ARGV: field, text, the events. */
const SET = `${ADD_EVENTS}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
addEvents(KEYS[2], ARGV[3])`;

/** KEYS: hash, events stream. ARGV: field, the events. Answer: 1 removed, with the events; 0 it was not there. */
const REMOVE = `${ADD_EVENTS}
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
addEvents(KEYS[2], ARGV[2])
return 1`;

/** KEYS: events stream. ARGV: the events. */
const ADD = `${ADD_EVENTS}
addEvents(KEYS[1], ARGV[1])`;
