import { readdir } from "node:fs/promises";
import { systemClock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { ReleaseImages } from "../../../server/builds/image/release-images.js";
import { cleanHosts } from "../../../server/engines/swarm/cleaning/clean-hosts.js";
import { LABELS } from "../../../server/engines/swarm/instance-labels.js";
import { SwarmLogs } from "../../../server/engines/swarm/logs/swarm-logs.js";
import { SwarmHosts } from "../../../server/engines/swarm/swarm-hosts.js";
import { checkPrograms } from "../checks/preflight.js";
import { keptPort } from "../services/kept-port.js";
import { openNetworks } from "../services/open-networks.js";
import { openRegistry } from "../registry/open-registry.js";
import { openDockerfiles } from "./open-dockerfiles.js";
import { joinSwarm } from "./join-swarm.js";
import { runitEngine } from "./open-runit.js";
import type { EngineOptions, OpenedEngine } from "./opened-engine.js";
import { swarmPrograms } from "./swarm-programs.js";
import { DOCKER_SOCKET, openSwarmEngine, SwarmApi } from "./swarm-parts.js";
import { trustRegistry } from "../registry/trust-registry.js";

/** Instances on every host of a Docker Swarm that this host manages. */
export async function openSwarm({ role, sandbox, redisUrl }: EngineOptions): Promise<OpenedEngine> {
  const { context, log, atStop } = role;
  const { home, settings, isRoot } = context;
  const { address, serverRunsInstances } = settings.fleet;
  if (!isRoot) throw new AppError("swarm-needs-root", {});
  if (address === undefined) throw new Error("settings without an address are refused");
  await checkPrograms(context, swarmPrograms(settings.fleet));
  const api = new SwarmApi(DOCKER_SOCKET);
  await joinSwarm(api, { address, serverRunsInstances });
  const registry = await openRegistry(role, address);
  const { access } = registry;
  await trustRegistry(access);
  // So that other settings find what is left.
  await writeFileAtomically(home.swarm(), "");
  const login = { username: access.user, password: access.password, serveraddress: access.address };
  const engine = await openSwarmEngine(api, role, login);
  const networks = (await openNetworks(context, redisUrl, log))?.networks;
  atStop(async () => networks?.stop());
  const port = await keptPort(home.flagsPort());
  const former = (await keepsInstances(context)) ? await runitEngine(context, sandbox, networks) : undefined;
  const images = new ReleaseImages({
    folder: home.layers(),
    registry: registry.client,
    ...{ former: registry.former, tags: registry.tags, collectGarbage: registry.collectGarbage },
    ...(registry.pushed === undefined ? {} : { pushed: registry.pushed }),
    imagesInUse: async () => imagesOfServices(api, ownerMark(role.id)),
    cleanHosts: async (cleaning, signal) =>
      cleanHosts({ api, owner: ownerMark(role.id), login, clock: systemClock }, cleaning, signal),
  });
  const { dockerfiles, tasksOf } = await openDockerfiles(role, { images, registry: access });
  return {
    ...{ engine, networks, former, images, logs: new SwarmLogs(home, engine) },
    ...{ dockerfiles, tasksOf },
    registry: { address: access.address, authority: access.ca },
    hosts: new SwarmHosts({ api, owner: ownerMark(role.id) }),
    redisUrl: redisUrl.replace("//127.0.0.1:", `//${address}:`),
    flags: {
      addresses: former === undefined ? [address] : [address, "127.0.0.1"],
      ...{ port, url: `http://${address}:${port}/flags` },
    },
  };
}

/** Instances that the Swarm may start again, on any host. */
async function imagesOfServices(api: SwarmApi, owner: string): Promise<string[]> {
  const services = await api.services(`${LABELS.owner}=${owner}`);
  return services.map(({ Spec }) => Spec.TaskTemplate.ContainerSpec?.Image ?? "");
}

/** Whether this machine runs instances by itself, as earlier settings wanted. */
async function keepsInstances({ home }: EngineOptions["role"]["context"]): Promise<boolean> {
  const names = await readdir(home.services()).catch(() => []);
  return names.some((name) => parseInstanceId(name) !== undefined);
}
