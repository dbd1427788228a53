import { systemClock } from "../../../core/clock.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { LogCollector } from "../../../server/engines/swarm/logs/log-collector.js";
import type { RegistryLogin, SwarmApi } from "../../../server/engines/swarm/swarm-api.js";
import { SwarmEngine } from "../../../server/engines/swarm/swarm-engine.js";
import type { RoleOptions } from "../roles/role.js";

export { SwarmApi } from "../../../server/engines/swarm/swarm-api.js";

export const DOCKER_SOCKET = "/run/docker.sock";

/** The engine, and what collects its logs, until the role stops. `login`: for new instances. */
export async function openSwarmEngine(
  api: SwarmApi,
  { context: { home, settings }, id, log, atStop }: RoleOptions,
  login: RegistryLogin | undefined,
): Promise<SwarmEngine> {
  const logBytes = settings.limits.logMegabytes * 1024 * 1024;
  const logs = new LogCollector({ api, home, clock: systemClock, log, logBytes });
  const { stopSeconds } = settings.instances;
  const owner = ownerMark(id);
  const engine = await SwarmEngine.open({ api, owner, logs, login, stopSeconds, clock: systemClock, log });
  atStop(async () => engine.close());
  return engine;
}
