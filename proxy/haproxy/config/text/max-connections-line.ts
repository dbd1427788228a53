import type { HaproxyOptions } from "../haproxy-options.js";

/** Without a number, HAProxy computes one from the files that it may open. */
export function maxConnectionsLine({ maxConnections }: Pick<HaproxyOptions, "maxConnections">): string {
  return maxConnections === undefined ? "" : `  maxconn ${maxConnections}\n`;
}
