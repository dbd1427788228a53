import { AppError } from "../../../core/errors/app-error.js";
import type { SwarmApi } from "../../../server/engines/swarm/swarm-api.js";

export interface FleetOptions {
  /** Of this host. */
  readonly address: string;
  readonly serverRunsInstances: boolean;
}

/**
 * This host manages a Swarm: the one that it is in, else one that is made now. Throws `swarm-unfit` for what is known not to work,
 * `engine-unavailable`.
 */
export async function joinSwarm(
  api: SwarmApi,
  { address, serverRunsInstances }: FleetOptions,
): Promise<void> {
  const { Swarm, LiveRestoreEnabled } = await api.info();
  if (LiveRestoreEnabled)
    throw new AppError("swarm-unfit", {
      problem: "Docker's setting live-restore does not work with a Swarm",
      fix: 'Remove "live-restore" from /etc/docker/daemon.json and restart Docker.',
    });
  if (Swarm.LocalNodeState === "inactive") await api.init(address);
  else if (!Swarm.ControlAvailable)
    throw new AppError("swarm-unfit", {
      problem: "this host is a worker of a Swarm that others manage",
      fix: "Run Sluice on a manager, or let this host leave: docker swarm leave.",
    });
  await api.setAvailability(serverRunsInstances ? "active" : "drain");
}
