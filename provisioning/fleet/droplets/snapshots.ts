import type { FleetRole } from "../../../core/records/fleet/fleet-host.js";

/** The disk of a configured droplet, from which later droplets of its role are made. */
export interface Snapshot {
  readonly id: number;
  /** `sluice-1a2b3c-production-fra1-0.1.0-4d5e6f`: whose it is, for what and where, and the Sluice on it. */
  readonly name: string;
  readonly role: FleetRole;
  /** Slugs of the regions where droplets can be made of it. */
  readonly regions: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly gigabytes: number;
  /** Of the disk that a droplet needs. */
  readonly minDiskGigabytes: number;
  /** US dollars. */
  readonly monthlyUsd: number;
}

/** The snapshots of this installation. Each method can be called again with the same effect. */
export interface Snapshots {
  /** The newest first. */
  list(signal: AbortSignal): Promise<Snapshot[]>;
  /** Resolves when the droplet is off. */
  shutDown(droplet: number, signal: AbortSignal): Promise<void>;
  /** The one of this name: taken now unless it was before. Takes minutes. */
  take(options: { readonly droplet: number; readonly name: string }, signal: AbortSignal): Promise<Snapshot>;
  /** One that is not there is no error. */
  remove(id: number, signal: AbortSignal): Promise<void>;
}

/** What a snapshot is called: by what is in it. */
export function snapshotName(
  installation: string,
  { role, region, release }: { readonly role: FleetRole; readonly region: string; readonly release: string },
): string {
  return `${installation}-${role}-${region}-${release}`;
}
