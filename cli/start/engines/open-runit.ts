import { rm } from "node:fs/promises";
import type { Sandbox } from "../../../core/exec/sandbox/sandbox.js";
import { exists } from "../../../core/files/exists.js";
import type { Engine } from "../../../server/engines/engine.js";
import type { Networks } from "../../../server/engines/runit/network/networks.js";
import type { Context } from "../context.js";
import type { RoleOptions } from "../roles/role.js";
import { RunitEngine } from "../../../server/engines/runit/runit-engine.js";
import { RunitLogs } from "../../../server/engines/runit/runit-logs.js";
import { openNetworks } from "../services/open-networks.js";
import { systemUser } from "../system-user.js";
import type { EngineOptions, OpenedEngine } from "./opened-engine.js";

/** Instances on this machine. */
export async function openRunit({ role, sandbox, redisUrl }: EngineOptions): Promise<OpenedEngine> {
  const { context, log, atStop } = role;
  const { home } = context;
  const own = await openNetworks(context, redisUrl, log);
  const networks = own?.networks;
  atStop(async () => networks?.stop());
  const engine = await runitEngine(context, sandbox, networks);
  return {
    ...{ engine, logs: new RunitLogs(home), networks },
    redisUrl: own?.redisUrl ?? redisUrl,
    flags: own && { ...own.flags, addresses: ["127.0.0.1"] },
    former: await formerSwarm(role),
  };
}

export async function runitEngine(
  { home, settings, isRoot, path }: Context,
  sandbox: Sandbox,
  networks: Networks | undefined,
): Promise<RunitEngine> {
  const proxyGroup = isRoot ? (await systemUser("haproxy"))?.gid : undefined;
  return RunitEngine.open({
    ...{ home, sandbox, networks, path },
    ports: settings.instances.ports,
    logBytes: settings.limits.logMegabytes * 1024 * 1024,
    ...(proxyGroup === undefined ? {} : { socketGroup: proxyGroup }),
  });
}

/** What a Swarm runs since the settings named it; undefined where it never did, or nothing is left. */
async function formerSwarm(role: RoleOptions): Promise<Engine | undefined> {
  if (!(await exists(role.context.home.swarm()))) return undefined;
  const { openSwarmEngine, SwarmApi, DOCKER_SOCKET } = await import("./swarm-parts.js");
  const engine = await openSwarmEngine(new SwarmApi(DOCKER_SOCKET), role, undefined);
  if ((await engine.list()).length > 0) return engine;
  await rm(role.context.home.swarm(), { force: true });
  return undefined;
}
