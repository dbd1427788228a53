import { checkPrograms } from "../checks/preflight.js";
import type { Context } from "../context.js";
import { fitSwarm } from "./join-swarm.js";
import { SWARM_PROGRAMS } from "./swarm-programs.js";
import { DOCKER_SOCKET, SwarmApi } from "./swarm-parts.js";

/**
 * Whether this machine can have the engine `swarm`; changes nothing. Returns how many of its hosts take instances: `2 of 3 hosts`.
 * Throws `program-missing`, `swarm-unfit`, `engine-unavailable`.
 */
export async function checkDocker(context: Context): Promise<string> {
  await checkPrograms(context, SWARM_PROGRAMS);
  const api = new SwarmApi(DOCKER_SOCKET);
  const { Swarm } = await fitSwarm(api, context.settings.fleet.address ?? "");
  const nodes = Swarm.LocalNodeState === "inactive" ? [] : await api.nodes();
  const ready = nodes.filter(
    ({ Status, Spec }) => Status.State === "ready" && Spec.Availability === "active",
  );
  return `${ready.length} of ${nodes.length} hosts`;
}
