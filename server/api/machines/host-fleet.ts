import type {
  Begun,
  BilledDroplet,
  HostProgress,
  ProvisionRequest,
} from "../../../core/api/machines/provision.js";
import type { BilledSnapshot, SnapshotBegun, SnapshotRequest } from "../../../core/api/machines/snapshots.js";
import type { Actor } from "../../../core/records/events/actor.js";
import type { FleetHost, FleetRole } from "../../../core/records/fleet/fleet-host.js";

/** The hosts that Sluice configures. What is asked for is saved, and done after the answer; `progress` follows it. */
export interface HostFleet {
  list(): Promise<FleetHost[]>;
  /** Droplets of this installation, as DigitalOcean bills them. */
  billed(): Promise<BilledDroplet[]>;
  /** Throws when it cannot log in, or a droplet cannot be ordered. */
  provision(request: ProvisionRequest, actor: Actor): Promise<Begun>;
  configureAgain(host: string, actor: Actor, role?: FleetRole): Promise<Begun>;
  remove(host: string, options: { readonly force: boolean }, actor: Actor): Promise<Begun>;
  progress(host: string, after: string): Promise<HostProgress>;
  readonly snapshots: HostSnapshots;
}

/** Images of configured droplets, from which later ones are made. */
export interface HostSnapshots {
  /** As DigitalOcean bills them, the newest first. */
  billed(): Promise<BilledSnapshot[]>;
  /** Does nothing when the one for this Sluice is there. */
  order(request: SnapshotRequest, actor: Actor): Promise<SnapshotBegun>;
}
