import { systemClock } from "../../../core/clock.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { cleanerName } from "../../../server/engines/swarm/cleaning/clean-hosts.js";
import { LABELS } from "../../../server/engines/swarm/instance-labels.js";
import { SwarmApi } from "../../../server/engines/swarm/swarm-api.js";
import type { Context } from "../context.js";
import { ownId } from "../own-id.js";
import { DOCKER_SOCKET } from "./swarm-parts.js";

const POLL_MS = 200;
/** After their grace. A host whose disk is full cannot say that they have ended. */
const SILENT_STOP_MS = 10_000;

/** Stops every instance that a Swarm runs for a state folder; the next server starts them again. Returns how many there were. */
export async function stopSwarm({ home, settings }: Pick<Context, "home" | "settings">): Promise<number> {
  const api = new SwarmApi(DOCKER_SOCKET);
  const owner = ownerMark(await ownId(home));
  const label = `${LABELS.owner}=${owner}`;
  await api.removeService(cleanerName(owner));
  const services = await api.services(label);
  await Promise.all(services.map(async ({ ID }) => api.removeService(ID)));
  const hosts = async (): Promise<Set<string>> =>
    new Set((await api.nodes()).filter(({ Status }) => Status.State === "ready").map(({ ID }) => ID));
  const giveUpAt = systemClock.now() + settings.instances.stopSeconds * 1000 + SILENT_STOP_MS;
  // A host that is away stops its ones when it is back.
  for (let present = await hosts(); ; present = await hosts()) {
    const tasks = await api.tasks({ label: [label] });
    if (!tasks.some(({ NodeID, Status }) => present.has(NodeID) && Status.State === "running")) break;
    if (systemClock.now() >= giveUpAt) break;
    await systemClock.sleep(POLL_MS);
  }
  for (const { ID } of await api.secrets(label)) await api.removeSecret(ID);
  return services.length;
}
