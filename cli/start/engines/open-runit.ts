import { RunitEngine } from "../../../server/engines/runit/runit-engine.js";
import { RunitLogs } from "../../../server/engines/runit/runit-logs.js";
import { openNetworks } from "../services/open-networks.js";
import { systemUser } from "../system-user.js";
import type { EngineOptions, OpenedEngine } from "./opened-engine.js";

/** Instances on this machine. */
export async function openRunit({ role, sandbox, redisUrl }: EngineOptions): Promise<OpenedEngine> {
  const { context, log, atStop } = role;
  const { home, settings, isRoot, path } = context;
  const proxyGroup = isRoot ? (await systemUser("haproxy"))?.gid : undefined;
  const own = await openNetworks(context, redisUrl, log);
  const networks = own?.networks;
  atStop(async () => networks?.stop());
  const engine = await RunitEngine.open({
    ...{ home, sandbox, networks, path },
    ports: settings.instances.ports,
    logBytes: settings.limits.logMegabytes * 1024 * 1024,
    ...(proxyGroup === undefined ? {} : { socketGroup: proxyGroup }),
  });
  return {
    ...{ engine, logs: new RunitLogs(home), networks },
    redisUrl: own?.redisUrl ?? redisUrl,
    flags: own && { ...own.flags, address: "127.0.0.1" },
  };
}
