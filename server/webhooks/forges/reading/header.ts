import type { IncomingHttpHeaders } from "node:http";

/** A header's value; one that was sent several times has them all with `, ` between, as Node gives them. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** The first of these headers that is a delivery's name: printable, no blanks, not long. */
export function deliveryIdIn(headers: IncomingHttpHeaders, ...names: readonly string[]): string | undefined {
  return names
    .map((name) => headerOf(headers, name))
    .find((value) => value !== undefined && /^[!-~]{1,200}$/.test(value));
}

/** The event as a header names it, or `unknown`. Nothing in it can spoil a log or a terminal. */
export function eventIn(headers: IncomingHttpHeaders, ...names: readonly string[]): string {
  const value = names.map((name) => headerOf(headers, name)).find((found) => found !== undefined);
  return value !== undefined && /^[\w:.-][\w:. -]{0,63}$/.test(value) ? value : "unknown";
}
