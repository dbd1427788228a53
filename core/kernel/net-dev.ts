import { count } from "./fields.js";

export interface NetworkBytes {
  readonly received: number;
  readonly sent: number;
}

/** Loopback, and what only hands on what another interface counts too. */
const INNER = /^(?:lo$|veth|docker|br-|virbr|ifb|dummy)/;

/** proc(5), /proc/net/dev: after the colon eight columns received, eight sent; bytes come first in each. */
export function parseNetDev(text: string): NetworkBytes | undefined {
  if (!text.startsWith("Inter-|")) return undefined;
  let [received, sent] = [0, 0];
  for (const line of text.split("\n").slice(2)) {
    const [, name, columns] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || columns === undefined || INNER.test(name)) continue;
    const counts = columns.split(/\s+/).map(count);
    received += counts[0] ?? 0;
    sent += counts[8] ?? 0;
  }
  return { received, sent };
}
