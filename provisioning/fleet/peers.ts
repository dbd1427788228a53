import type { FleetHost } from "../../core/records/fleet/fleet-host.js";

/** Private addresses of all hosts that reach each other, the server's among them, sorted. */
export function peersOf(hosts: readonly FleetHost[], server: string | undefined): string[] {
  const others = hosts
    .filter(({ phase }) => phase !== "creating" && phase !== "failed")
    .map(({ privateAddress }) => privateAddress);
  return [...new Set([server, ...others])].filter((address) => address !== undefined).sort();
}
