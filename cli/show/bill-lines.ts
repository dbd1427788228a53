import type { BilledDroplet } from "../../core/api/machines/provision.js";
import type { BilledSnapshot } from "../../core/api/machines/snapshots.js";

/** What DigitalOcean bills, and what of it no host is known to be; empty where it bills nothing. */
export function dropletLines(droplets: readonly BilledDroplet[]): string[] {
  if (droplets.length === 0) return [];
  const monthlyUsd = droplets.reduce((sum, droplet) => sum + droplet.monthlyUsd, 0);
  const count = droplets.length === 1 ? "1 droplet" : `${droplets.length} droplets`;
  return [
    `${count}, ${monthlyUsd} US dollars a month`,
    ...droplets
      .filter(({ host }) => host === null)
      .map(
        ({ id, name, monthlyUsd: cost }) =>
          ` !     The droplet ${name} (${id}, ${cost} US dollars a month) is no host that Sluice knows. If nobody needs it, destroy it at DigitalOcean.`,
      ),
  ];
}

/** A snapshot and what it costs. */
export function snapshotLine({ name, role, regions, gigabytes, monthlyUsd }: BilledSnapshot): string {
  return `snapshot for ${role} in ${regions.join(", ")}: ${name}, ${gigabytes} GB, ${monthlyUsd.toFixed(2)} US dollars a month`;
}
