import type { BilledSnapshot, SnapshotBegun, SnapshotRequest } from "../../core/api/machines/snapshots.js";
import { AppError, isAppError } from "../../core/errors/app-error.js";
import type { Actor } from "../../core/records/events/actor.js";
import type { FleetHost } from "../../core/records/fleet/fleet-host.js";
import type { Fleet } from "./fleet.js";
import type { FleetNeeds } from "./fleet-needs.js";
import { newDroplet } from "./droplets/new-droplet.js";
import { snapshotName, type Snapshots } from "./droplets/snapshots.js";
import { hostEvent } from "./host-event.js";

const TIMEOUT_MS = 20_000;

/** The snapshots that people ask for. */
export class SnapshotOrders {
  constructor(
    private readonly needs: FleetNeeds,
    private readonly fleet: Pick<Fleet, "wake">,
  ) {}

  /** What DigitalOcean bills; none without a token, or with one that lacks the scopes to take any. */
  async billed(): Promise<BilledSnapshot[]> {
    const { snapshots } = this.needs;
    if (snapshots === undefined) return [];
    const all = await snapshots.list(AbortSignal.timeout(TIMEOUT_MS)).catch((error: unknown) => {
      if (isAppError(error, "digitalocean-scope-missing")) return [];
      throw error;
    });
    return all.map(({ id, name, role, regions, createdAt, gigabytes, monthlyUsd }) => ({
      ...{ id, name, role, regions: [...regions], createdAt, gigabytes, monthlyUsd },
    }));
  }

  /** Orders the droplet that becomes one, unless that is under way or done. Throws what `newDroplet` does, and `fleet-image-set`. */
  async order({ role, keepFailed }: SnapshotRequest, actor: Actor): Promise<SnapshotBegun> {
    const { hosts, log, settings, settingsFile, installation, release } = this.needs;
    const { image, region } = settings[role];
    if (image !== undefined) throw new AppError("fleet-image-set", { role, image, file: settingsFile });
    if (region === undefined) throw new AppError("fleet-region-missing", { role, file: settingsFile });
    const snapshot = snapshotName(installation, { role, region, release });
    const name = `snapshot-${role}`;
    const known = await hosts.find(name);
    if (known !== undefined && isUnderWay(known))
      return { snapshot, begun: { host: name, after: known.logAfter ?? "0" } };
    if (await this.isThere(snapshot)) return { snapshot, begun: null };
    const reason = `its disk becomes the snapshot ${snapshot}`;
    const host = await newDroplet(
      { role, name, keepFailed, by: actor.by, reason, isSnapshot: true },
      this.needs,
    );
    const after = await log.end(name);
    if (!(await hosts.add({ ...host, logAfter: after }, hostEvent("host.added", host, reason, actor))))
      throw new AppError("fleet-host-exists", { host: name });
    this.fleet.wake();
    return { snapshot, begun: { host: name, after } };
  }

  private async isThere(name: string): Promise<boolean> {
    const all = await this.snapshots().list(AbortSignal.timeout(TIMEOUT_MS));
    return all.some((snapshot) => snapshot.name === name);
  }

  private snapshots(): Snapshots {
    const { snapshots } = this.needs;
    if (snapshots === undefined) throw new AppError("digitalocean-token-missing", {});
    return snapshots;
  }
}

function isUnderWay({ snapshot, phase }: FleetHost): boolean {
  return snapshot !== undefined && phase !== "leaving" && phase !== "failed";
}
