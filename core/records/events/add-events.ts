import type { NewEvent } from "./event-record.js";

/** How long events are kept, by Redis' clock. */
export const EVENT_DAYS = 90;
/** The stream forgets its oldest events beyond about so many, however young: this bounds its memory. */
export const EVENTS_KEPT = 50_000;

/**
 * A Lua function for the scripts that change something: what happens is in the stream exactly when it is done. `events` is an
 * argument that `eventsArgument` made.
 */
export const ADD_EVENTS = `
local function addEvents(stream, events)
  local added = cjson.decode(events)
  for _, event in ipairs(added) do
    redis.call('XADD', stream, 'MAXLEN', '~', ${EVENTS_KEPT}, '*', 'event', event)
  end
  if #added > 0 then
    local oldest = redis.call('TIME')[1] - ${EVENT_DAYS * 24 * 3600}
    redis.call('XTRIM', stream, 'MINID', string.format('%d000', oldest))
  end
end
`;

/** A list of texts, as Lua must not write the events again: it cannot tell an empty list from an empty object. */
export function eventsArgument(events: readonly NewEvent[]): string {
  return JSON.stringify(events.map((event) => JSON.stringify(event)));
}
