import { checkPrograms } from "../checks/preflight.js";
import type { Context } from "../context.js";
import { checkOutsideRegistry, outsideRegistry } from "../registry/outside-registry.js";
import { fitSwarm } from "./join-swarm.js";
import { swarmPrograms } from "./swarm-programs.js";
import { DOCKER_SOCKET, SwarmApi } from "./swarm-parts.js";

/**
 * Whether this machine can have the engine `swarm`; changes nothing. Returns how many of its hosts take instances: `2 of 3 hosts`.
 * Throws `program-missing`, `swarm-unfit`, `engine-unavailable`, and as `RegistryClient` when images cannot be pushed to an outside registry.
 */
export async function checkDocker(context: Context): Promise<string> {
  const { registry } = context.settings.fleet;
  await checkPrograms(context, swarmPrograms({ registry }));
  if (registry !== undefined)
    await checkOutsideRegistry(await outsideRegistry(registry, context.home.settings()));
  const api = new SwarmApi(DOCKER_SOCKET);
  const { Swarm } = await fitSwarm(api, context.settings.fleet.address ?? "");
  const nodes = Swarm.LocalNodeState === "inactive" ? [] : await api.nodes();
  const ready = nodes.filter(
    ({ Status, Spec }) => Status.State === "ready" && Spec.Availability === "active",
  );
  return `${ready.length} of ${nodes.length} hosts`;
}
