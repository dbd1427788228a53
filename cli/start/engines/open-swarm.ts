import { systemClock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { RegistryClient } from "../../../server/builds/image/registry-client.js";
import { ReleaseImages } from "../../../server/builds/image/release-images.js";
import { LogCollector } from "../../../server/engines/swarm/log-collector.js";
import { SwarmApi } from "../../../server/engines/swarm/swarm-api.js";
import { SwarmEngine } from "../../../server/engines/swarm/swarm-engine.js";
import { SwarmLogs } from "../../../server/engines/swarm/swarm-logs.js";
import { checkPrograms } from "../checks/preflight.js";
import { keptPort } from "../services/kept-port.js";
import { openNetworks } from "../services/open-networks.js";
import { PrivateRegistry } from "../services/private-registry.js";
import { systemUser } from "../system-user.js";
import type { EngineOptions, OpenedEngine } from "./opened-engine.js";
import { joinSwarm } from "./join-swarm.js";
import { trustRegistry } from "./trust-registry.js";

const DOCKER_SOCKET = "/run/docker.sock";
const PROGRAMS = new Map([
  ["dockerd", "docker.io"],
  ["docker-registry", "docker-registry"],
  ["mmdebstrap", "mmdebstrap"],
  ["openssl", "openssl"],
]);

/** Instances on every host of a Docker Swarm that this host manages. */
export async function openSwarm({ role, redisUrl }: EngineOptions): Promise<OpenedEngine> {
  const { context, log, atStop } = role;
  const { home, settings, path, isRoot } = context;
  const { address, registryPort, serverRunsInstances } = settings.fleet;
  if (!isRoot) throw new AppError("swarm-needs-root", {});
  if (address === undefined) throw new Error("settings without an address are refused");
  await checkPrograms(context, PROGRAMS);
  const api = new SwarmApi(DOCKER_SOCKET);
  await joinSwarm(api, { address, serverRunsInstances });
  const user = await systemUser("docker-registry");
  const registry = new PrivateRegistry({ home, path, host: address, port: registryPort, user });
  const access = await registry.start();
  await trustRegistry(access);
  const client = new RegistryClient(access);
  atStop(async () => {
    client.close();
    return Promise.resolve();
  });
  const logBytes = settings.limits.logMegabytes * 1024 * 1024;
  const collector = new LogCollector({ api, home, clock: systemClock, log, logBytes });
  const engine = await SwarmEngine.open({
    ...{ api, log, logs: collector, clock: systemClock },
    owner: ownerMark(home.root),
    login: { username: access.user, password: access.password, serveraddress: access.address },
    stopSeconds: settings.instances.stopSeconds,
  });
  atStop(async () => engine.close());
  const networks = (await openNetworks(context, redisUrl, log))?.networks;
  atStop(async () => networks?.stop());
  const port = await keptPort(home.flagsPort());
  return {
    ...{ engine, networks, logs: new SwarmLogs(home, engine) },
    redisUrl: redisUrl.replace("//127.0.0.1:", `//${address}:`),
    flags: { address, port, url: `http://${address}:${port}/flags` },
    images: new ReleaseImages({ folder: home.layers(), registry: client, address: access.address }),
  };
}
