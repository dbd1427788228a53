import type { HaproxyOptions } from "../haproxy-options.js";
import { isPlace, NOWHERE, PLACES } from "../state.js";

/**
 * A backend for one release at a time. Its servers are changed at run time, and this file along with them. `options`: of each
 * server (`lineOptions`).
 */
export function slotText(slot: string, servers: ReadonlyMap<string, string>, options: string): string {
  const places = PLACES.map((place) => {
    const address = servers.get(place);
    return `  server ${place} ${address ?? NOWHERE} ${options}${address === undefined ? " disabled" : ""}\n`;
  });
  const others = [...servers].filter(([name]) => !isPlace(name));
  const lines = others.map(([name, address]) => `  server ${name} ${address} ${options}\n`);
  return `backend ${slot} from backends\n${[...places, ...lines].join("")}`;
}

/**
 * On this machine a dead instance stops getting traffic after about three seconds, and is back 100 ms after it listens again.
 * Until then its requests go to another instance or wait for this one (`retries`), so a restart loses none. On another machine it
 * comes back elsewhere; one that is silent there, as its machine is, is out after 1.4 s at most: 0.4 until it is asked, twice 0.4
 * without an answer, and 0.1 between.
 */
export function serverCheck({ instancesOn = "this-machine" }: Pick<HaproxyOptions, "instancesOn">): string {
  return instancesOn === "this-machine"
    ? "check inter 2s fastinter 100ms downinter 100ms fall 30 rise 1"
    : "check inter 400ms fastinter 100ms downinter 200ms fall 2 rise 1";
}

/**
 * The options of a server in a slot's file. A machine that loses its power or network closes no connection: without a limit, what
 * is sent on one that was open waits for a quarter of an hour, until the kernel gives up. What is not acknowledged in this time
 * (tcp(7), `TCP_USER_TIMEOUT`) goes to another instance (`retry-on`). HAProxy 2.6 takes it neither from `default-server` nor for a
 * server that is added at run time: those beyond a slot's places have it after the next reload.
 */
export function lineOptions(options: Pick<HaproxyOptions, "instancesOn">): string {
  const limit = options.instancesOn === "many-machines" ? " tcp-ut 3s" : "";
  return `${serverCheck(options)}${limit}`;
}

/** The options of a line in a slot's file. */
const LINE_OPTIONS = /check inter \S+ fastinter \S+ downinter \S+ fall \d+ rise \d+(?: tcp-ut \S+)?/g;

/** A slot's text with other options. */
export function withOptions(text: string, options: string): string {
  return text.replace(LINE_OPTIONS, options);
}

export function slotName(index: number): string {
  return `slot-${String(index).padStart(5, "0")}`;
}
