import type { BilledSnapshot } from "../../core/api/machines/snapshots.js";

/** A snapshot and what it costs. */
export function snapshotLine({ name, role, regions, gigabytes, monthlyUsd }: BilledSnapshot): string {
  return `snapshot for ${role} in ${regions.join(", ")}: ${name}, ${gigabytes} GB, ${monthlyUsd.toFixed(2)} US dollars a month`;
}
