import { AppError } from "../../../core/errors/app-error.js";
import { snapshotName } from "../droplets/snapshots.js";
import type { FleetStep } from "./fleet-step.js";

const PATIENCE_MS = 3_600_000;

/** Makes the disk of a droplet that is configured for it a snapshot, and removes earlier ones of the role. Then it leaves. */
export const saveSnapshot: FleetStep = {
  name: "taking the snapshot",
  patienceMs: PATIENCE_MS,
  run: async (host, { snapshots, log, installation, release }, signal) => {
    if (snapshots === undefined) throw new AppError("digitalocean-token-missing", {});
    const { name: hostName, droplet, snapshot, version = release } = host;
    if (droplet?.id === undefined || snapshot === undefined)
      throw new Error(`${hostName} is for no snapshot`);
    const { role } = snapshot;
    await log.add(hostName, { kind: "heading", text: `Shutting ${hostName} down` });
    await snapshots.shutDown(droplet.id, signal);
    const name = snapshotName(installation, { role, region: droplet.region, release: version });
    await log.add(hostName, { kind: "heading", text: `Taking the snapshot ${name}` });
    const taken = await snapshots.take({ droplet: droplet.id, name }, signal);
    await log.add(hostName, { kind: "task", text: `it has ${taken.gigabytes} GB` });
    for (const earlier of await snapshots.list(signal)) {
      if (earlier.role !== role || earlier.id === taken.id) continue;
      await snapshots.remove(earlier.id, signal);
      await log.add(hostName, { kind: "task", text: `${earlier.name} is deleted` });
    }
    return { ...host, phase: "leaving" };
  },
};
