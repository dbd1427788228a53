import { FLEET_ROLES } from "../../../core/records/fleet/fleet-host.js";
import type { DigitalOcean } from "../../digitalocean/digitalocean.js";
import type { Snapshot as ApiSnapshot } from "../../digitalocean/droplets/snapshots.js";
import type { Snapshot, Snapshots } from "./snapshots.js";

/** US dollars that a gigabyte of a snapshot costs a month (docs.digitalocean.com/products/snapshots/details/pricing). */
const GIGABYTE_USD = 0.06;
const OFF_TIMEOUT_MS = 120_000;
/** A disk of some gigabytes. */
const TAKE_TIMEOUT_MS = 1_200_000;

/** The snapshots of an account that this installation has taken. */
export class DigitalOceanSnapshots implements Snapshots {
  constructor(
    private readonly api: DigitalOcean,
    /** With which their names begin. */
    private readonly installation: string,
  ) {}

  async list(signal: AbortSignal): Promise<Snapshot[]> {
    const all = await this.api.snapshots.list(signal);
    return all
      .flatMap((snapshot) => this.ours(snapshot))
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id - a.id);
  }

  async shutDown(droplet: number, signal: AbortSignal): Promise<void> {
    await this.api.droplets.shutDown(droplet, { timeoutMs: OFF_TIMEOUT_MS, signal });
  }

  async take({ droplet, name }: { droplet: number; name: string }, signal: AbortSignal): Promise<Snapshot> {
    const taken = await this.api.snapshots.ensure({ droplet, name }, { timeoutMs: TAKE_TIMEOUT_MS, signal });
    const [ours] = this.ours(taken);
    if (ours === undefined) throw new Error(`${name} is no name of a snapshot`);
    return ours;
  }

  async remove(id: number, signal: AbortSignal): Promise<void> {
    await this.api.snapshots.delete(id, signal);
  }

  /** None for a snapshot that somebody else has taken. */
  private ours(snapshot: ApiSnapshot): Snapshot[] {
    const role = FLEET_ROLES.find((each) => snapshot.name.startsWith(`${this.installation}-${each}-`));
    if (role === undefined) return [];
    return [{ ...snapshot, role, monthlyUsd: Math.round(snapshot.gigabytes * GIGABYTE_USD * 100) / 100 }];
  }
}
