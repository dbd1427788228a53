import { coversApp, type Scope } from "../../../core/api/access/scope.js";
import type { RedisReplica, ServerStatus } from "../../../core/api/machines/status.js";
import type { Database } from "../../../core/redis/database.js";
import { isAlert } from "../../../core/records/alerts/is-alert.js";
import { serviceState } from "../../../core/exec/runsv.js";
import { readRedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { readReplication } from "../../../core/redis/replicas/replication.js";
import { diskSpace } from "../../pipeline/disk-space.js";
import type { ApiNeeds } from "../needs.js";
import { proxySummary } from "./proxy-summary.js";
import { appSummaries } from "./app-summaries.js";

type StatusTools = Parameters<typeof appSummaries>[0] &
  Pick<ApiNeeds, "home" | "log" | "recovering" | "proxyReports" | "redisUsers">;

/** What `sluice status` shows, of the apps in the scope. With Redis away it still tells so, without the apps. */
export async function serverStatus(
  tools: StatusTools,
  redis: Database,
  version: string,
  scope: Pick<Scope, "apps">,
): Promise<ServerStatus> {
  const [haproxy, redisService, appsService, areAppsUp, space] = await Promise.all([
    serviceState(tools.home.service("haproxy")),
    serviceState(tools.home.service("redis")),
    serviceState(tools.home.service("apps-redis")),
    tools.redisUsers.isUp(),
    diskSpace(tools),
  ]);
  const records = await readRecords(tools, redis, scope);
  return {
    version,
    pid: process.pid,
    home: tools.home.root,
    memoryMegabytes: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    proxy: {
      state: haproxy.pid === undefined ? "down" : "up",
      pid: haproxy.pid,
      port: tools.settings.httpPort,
      revision: records?.revision,
    },
    proxies: records?.proxies ?? [],
    redis: {
      state: records === undefined ? "down" : "up",
      pid: redisService.pid,
      replicas: records?.replicas ?? [],
    },
    ...(areAppsUp === undefined
      ? {}
      : { appsRedis: { state: areAppsUp ? "up" : "down", pid: appsService.pid } }),
    disk: {
      freeMegabytes: space.freeMegabytes,
      neededMegabytes: space.neededMegabytes,
      isFull: space.isFull,
    },
    alert: records?.alert ?? false,
    recovering: tools.recovering.names().filter((app) => coversApp(scope, app)),
    apps: records?.apps ?? [],
  };
}

async function readRecords(
  tools: StatusTools,
  redis: Database,
  scope: Pick<Scope, "apps">,
): Promise<
  | (Pick<ServerStatus, "apps" | "alert" | "proxies"> & {
      readonly revision: number | undefined;
      readonly replicas: readonly RedisReplica[];
    })
  | undefined
> {
  try {
    const [apps, alert, proxies, replicas] = await Promise.all([
      appSummaries(tools, scope),
      isAlert(redis),
      tools.proxyReports.members(),
      redisReplicas(tools, redis),
    ]);
    const [revision] = proxies.map(({ report }) => report.revision).sort((a, b) => a - b);
    return { apps, alert, revision, replicas, proxies: proxies.map(proxySummary) };
  } catch (error) {
    tools.log.warn({ err: error }, "status without Redis");
    return undefined;
  }
}

async function redisReplicas({ home }: Pick<StatusTools, "home">, redis: Database): Promise<RedisReplica[]> {
  const places = await readRedisPlaces(home.redisPlaces());
  if (places === undefined || places.replicas.length === 0) return [];
  const { replicas } = await readReplication(redis);
  return places.replicas.map(({ host, address }) => {
    const connected = replicas.find((replica) => replica.address === address);
    if (connected === undefined) return { host, address, state: "silent" };
    return { host, address, state: connected.isInSync ? "in-sync" : "syncing" };
  });
}
