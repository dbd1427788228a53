import { isPlace, NOWHERE, PLACES } from "../state.js";

/** A backend that one release may have to itself. Its servers come and go at run time; its file says the same. */
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
 * A dead instance is out of the traffic after some three seconds, and back a tenth of a second after it listens again.
 * Until then requests go to another instance, or wait for this one (`retries`): a restart costs none of them.
 */
export const SERVER_CHECK = "check inter 2s fastinter 100ms downinter 100ms fall 30 rise 1";

export function slotName(index: number): string {
  return `slot-${String(index).padStart(5, "0")}`;
}
