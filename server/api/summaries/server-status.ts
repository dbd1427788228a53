import { coversApp, type Scope } from "../../../core/api/access/scope.js";
import type { ServerStatus } from "../../../core/api/machines/status.js";
import type { Database } from "../../../core/redis/database.js";
import { isAlert } from "../../../core/records/alerts/is-alert.js";
import { serviceState } from "../../../core/exec/runsv.js";
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
    redis: { state: records === undefined ? "down" : "up", pid: redisService.pid },
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
  (Pick<ServerStatus, "apps" | "alert" | "proxies"> & { revision: number | undefined }) | undefined
> {
  try {
    const [apps, alert, proxies] = await Promise.all([
      appSummaries(tools, scope),
      isAlert(redis),
      tools.proxyReports.members(),
    ]);
    const [revision] = proxies.map(({ report }) => report.revision).sort((a, b) => a - b);
    return { apps, alert, revision, proxies: proxies.map(proxySummary) };
  } catch (error) {
    tools.log.warn({ err: error }, "status without Redis");
    return undefined;
  }
}
