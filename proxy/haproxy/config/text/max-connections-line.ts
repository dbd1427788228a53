import type { HaproxyOptions } from "../haproxy-options.js";

/** Nothing where HAProxy finds the number itself. */
export function maxConnectionsLine({ maxConnections }: Pick<HaproxyOptions, "maxConnections">): string {
  return maxConnections === undefined ? "" : `  maxconn ${maxConnections}\n`;
}
