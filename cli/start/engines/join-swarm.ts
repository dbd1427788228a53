import { AppError } from "../../../core/errors/app-error.js";
import { isPublicAddress } from "../../../core/network/address-policy.js";
import { withAvailability } from "../../../server/engines/swarm/node-spec.js";
import type { DockerInfo, SwarmApi } from "../../../server/engines/swarm/swarm-api.js";

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
  api: Pick<SwarmApi, "info" | "init" | "changeNode">,
  { address, serverRunsInstances }: FleetOptions,
): Promise<void> {
  const { Swarm } = await fitSwarm(api, address);
  if (Swarm.LocalNodeState === "inactive") await api.init(address);
  const { NodeID } = (await api.info()).Swarm;
  await api.changeNode(NodeID, (spec) => withAvailability(spec, serverRunsInstances));
}

/** What Docker tells of itself. Throws as `joinSwarm`, and changes nothing. */
export async function fitSwarm(api: Pick<SwarmApi, "info">, address: string): Promise<DockerInfo> {
  if (isPublicAddress(address))
    throw unfit(
      `fleet.address ${address} is a public address: whoever reaches it would reach the apps' instances and the Swarm itself`,
      "Name this machine's address in a private network that the hosts share, or in a VPN between them.",
    );
  const info = await api.info();
  if (/nftables/.test(info.FirewallBackend?.Driver ?? ""))
    throw unfit(
      "Docker's firewall backend nftables does not work with a Swarm",
      'Remove "firewall-backend" from /etc/docker/daemon.json and restart Docker.',
    );
  if (info.LiveRestoreEnabled)
    throw unfit(
      "Docker's setting live-restore does not work with a Swarm",
      'Remove "live-restore" from /etc/docker/daemon.json and restart Docker.',
    );
  if (info.Swarm.LocalNodeState !== "inactive" && !info.Swarm.ControlAvailable)
    throw unfit(
      "this host is a worker of a Swarm that others manage",
      "Run Sluice on a manager, or let this host leave: docker swarm leave.",
    );
  return info;
}

function unfit(problem: string, fix: string): AppError {
  return new AppError("swarm-unfit", { problem, fix });
}
