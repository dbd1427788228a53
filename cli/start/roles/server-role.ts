import { isIPv4 } from "node:net";
import { join } from "node:path";
import { LocalTasks } from "../../../server/engines/runit/local-tasks.js";
import { startServer, type Server } from "../../../server/loops.js";
import { openRunit } from "../engines/open-runit.js";
import { openAppsRedis, type AppsRedis } from "../apps-redis/apps-redis.js";
import { watchDiskSpace } from "../disk/watch-disk-space.js";
import { keepReserveFile } from "../disk/reserve-file.js";
import { openSandbox } from "../open-sandbox.js";
import type { OpenedEngine } from "../engines/opened-engine.js";
import type { OpenedFleet } from "../fleet/open-fleet.js";
import type { RoleOptions } from "./role.js";

/** Takes pushes and webhooks, makes releases of them, and answers the API and the pages. */
export async function startServerRole(options: RoleOptions): Promise<Server> {
  const { context, redis, isOwnRedis, adminToken, id, log, atStop } = options;
  const { home, settings, isRoot, path, networkEnv, version, installation } = context;
  const sandbox = await openSandbox(context);
  const ownRedis = isOwnRedis ? await ownAppsRedis(options) : undefined;
  const appRedis = ownRedis ?? { redis, isSeparate: false, url: withoutUser(settings.redis.url ?? "") };
  // Who has one machine loads nothing of Docker.
  const open = settings.engine === "swarm" ? (await import("../engines/open-swarm.js")).openSwarm : openRunit;
  const opened = await open({ role: options, sandbox, redisUrl: appRedis.url });
  const { engine, logs, networks, flags, images, dockerfiles, hosts, former: formerEngine } = opened;
  const fleet = await fleetOf(options, opened, ownRedis);
  const local = await LocalTasks.open({ home, sandbox, networks, path });
  const server = await startServer({
    ...{ home, settings, redis, engine, formerEngine, logs, flags, images, dockerfiles, hosts },
    tasks: opened.tasksOf?.(local) ?? local,
    appRedis: { ...appRedis, url: opened.redisUrl },
    adminToken,
    id,
    fleet: fleet?.orders,
    hooksFolder: join(installation, "hooks"),
    path,
    networkEnv,
    isRoot,
    version,
    log,
  });
  atStop(async () => server.stop());
  fleet?.start();
  const disk = watchDiskSpace({ home, settings, path, log });
  atStop(async () => disk.stop());
  const reserve = await keepReserveFile({ home, path, log });
  atStop(async () => reserve.stop());
  return server;
}

/** Who has one machine has nothing of it. */
async function fleetOf(
  role: RoleOptions,
  { hosts, registry, redisUrl, flags }: OpenedEngine,
  ownAppsRedis: AppsRedis["users"] | undefined,
): Promise<OpenedFleet | undefined> {
  const { address } = role.context.settings.fleet;
  if (hosts === undefined || registry === undefined || address === undefined) return undefined;
  const { openFleet } = await import("../fleet/open-fleet.js");
  const appsRedis = new URL(redisUrl);
  const offers = [
    // One that has a name is for `instances.allowNetworks`.
    ...(isIPv4(appsRedis.hostname)
      ? [{ address: appsRedis.hostname, port: Number(appsRedis.port || 6379) }]
      : []),
    ...(flags === undefined ? [] : [{ address, port: flags.port }]),
  ];
  return openFleet({ role, engine: hosts, registry, address, appsRedis: ownAppsRedis, offers });
}

async function ownAppsRedis(role: RoleOptions): Promise<AppsRedis["users"]> {
  const appsRedis = await openAppsRedis(role.context, role);
  role.atStop(appsRedis.stop);
  return appsRedis.users;
}

/** Each app gets a user of its own. */
function withoutUser(url: string): string {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare.toString();
}
