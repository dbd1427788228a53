import { join } from "node:path";
import { LocalTasks } from "../../../server/engines/runit/local-tasks.js";
import { RunitEngine } from "../../../server/engines/runit/runit-engine.js";
import { RunitLogs } from "../../../server/engines/runit/runit-logs.js";
import { startServer, type Server } from "../../../server/loops.js";
import { watchDiskSpace } from "../disk/watch-disk-space.js";
import { keepReserveFile } from "../disk/reserve-file.js";
import { systemUser } from "../system-user.js";
import type { RoleOptions } from "./role.js";

/** Takes pushes and webhooks, makes releases of them, and answers the API and the pages. */
export async function startServerRole({
  context,
  redis,
  ownRedis,
  adminToken,
  id,
  log,
  atStop,
}: RoleOptions): Promise<Server> {
  const { home, settings, isRoot, path, networkEnv, version, installation } = context;
  const proxyGroup = isRoot ? (await systemUser("haproxy"))?.gid : undefined;
  const engine = await RunitEngine.open({
    home,
    ports: settings.instances.ports,
    logBytes: settings.limits.logMegabytes * 1024 * 1024,
    path,
    ...(proxyGroup === undefined ? {} : { socketGroup: proxyGroup }),
  });
  const server = await startServer({
    home,
    settings,
    redis,
    engine,
    logs: new RunitLogs(home),
    tasks: new LocalTasks(home),
    appRedis:
      ownRedis === undefined
        ? { url: withoutUser(settings.redis.url ?? "") }
        : { url: ownRedis.url, keep: ownRedis.keepUsers },
    adminToken,
    id,
    hooksFolder: join(installation, "hooks"),
    path,
    networkEnv,
    isRoot,
    version,
    log,
  });
  atStop(async () => server.stop());
  const disk = watchDiskSpace({ home, settings, path, log });
  atStop(async () => disk.stop());
  const reserve = await keepReserveFile({ home, path, log });
  atStop(async () => reserve.stop());
  return server;
}

/** Each app gets a user of its own. */
function withoutUser(url: string): string {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare.toString();
}
