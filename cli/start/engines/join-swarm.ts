import { AppError } from "../../../core/errors/app-error.js";
import { isPublicAddress } from "../../../core/network/address-policy.js";
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
  api: Pick<SwarmApi, "info" | "init" | "setAvailability">,
  { address, serverRunsInstances }: FleetOptions,
): Promise<void> {
  if (isPublicAddress(address))
    throw new AppError("swarm-unfit", {
      problem: `fleet.address ${address} is a public address: whoever reaches it would reach the apps' instances and the Swarm itself`,
      fix: "Name this machine's address in a private network that the hosts share, or in a VPN between them.",
    });
  const { Swarm, LiveRestoreEnabled, FirewallBackend } = await api.info();
  if (/nftables/.test(FirewallBackend?.Driver ?? ""))
    throw new AppError("swarm-unfit", {
      problem: "Docker's firewall backend nftables does not work with a Swarm",
      fix: 'Remove "firewall-backend" from /etc/docker/daemon.json and restart Docker.',
    });
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
