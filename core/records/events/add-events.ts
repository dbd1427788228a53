import type { NewEvent } from "./event-record.js";

/** The stream forgets its oldest events beyond about so many. */
export const EVENTS_KEPT = 10_000;

/**
 * A Lua function for the scripts that change something: what happens is in the stream exactly when it is done. `events` is an
 * argument that `eventsArgument` made.
 */
export const ADD_EVENTS = `
local function addEvents(stream, events)
  for _, event in ipairs(cjson.decode(events)) do
    redis.call('XADD', stream, 'MAXLEN', '~', ${EVENTS_KEPT}, '*', 'event', event)
  end
end
`;

/** A list of texts, as Lua must not write the events again: it cannot tell an empty list from an empty object. */
export function eventsArgument(events: readonly NewEvent[]): string {
  return JSON.stringify(events.map((event) => JSON.stringify(event)));
}
