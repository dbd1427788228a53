import { isPlace, NOWHERE, PLACES } from "../state.js";

/** A backend for one release at a time. Its servers are changed at run time, and this file along with them. */
export function slotText(slot: string, servers: ReadonlyMap<string, string>): string {
  const places = PLACES.map((place) => {
    const address = servers.get(place);
    return `  server ${place} ${address ?? NOWHERE} ${SERVER_CHECK}${address === undefined ? " disabled" : ""}\n`;
  });
  const others = [...servers].filter(([name]) => !isPlace(name));
  const lines = others.map(([name, address]) => `  server ${name} ${address} ${SERVER_CHECK}\n`);
  return `backend ${slot} from backends\n${[...places, ...lines].join("")}`;
}

/**
 * A dead instance stops getting traffic after about three seconds, and is back 100 ms after it listens again. Until then its
 * requests go to another instance or wait for this one (`retries`), so a restart loses none.
 */
export const SERVER_CHECK = "check inter 2s fastinter 100ms downinter 100ms fall 30 rise 1";

export function slotName(index: number): string {
  return `slot-${String(index).padStart(5, "0")}`;
}
