import type { ServerStatus } from "../../../core/api/machines/status.js";
import type { Database } from "../../../core/redis/database.js";
import { isAlert } from "../../../core/records/alerts/is-alert.js";
import { serviceState } from "../../../core/exec/runsv.js";
import { diskSpace } from "../../pipeline/disk-space.js";
import type { ApiNeeds } from "../needs.js";
import { proxySummary } from "./proxy-summary.js";
import { appSummaries } from "./app-summaries.js";

type StatusTools = Parameters<typeof appSummaries>[0] &
  Pick<ApiNeeds, "home" | "log" | "recovering" | "proxyReports">;

/** What `sluice status` shows. With Redis away it still tells so, without the apps. */
export async function serverStatus(
  tools: StatusTools,
  redis: Database,
  version: string,
): Promise<ServerStatus> {
  const [haproxy, redisService, { freeMegabytes, neededMegabytes, isFull }] = await Promise.all([
    serviceState(tools.home.service("haproxy")),
    serviceState(tools.home.service("redis")),
    diskSpace(tools),
  ]);
  const records = await readRecords(tools, redis);
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
    disk: { freeMegabytes, neededMegabytes, isFull },
    alert: records?.alert ?? false,
    recovering: tools.recovering.names(),
    apps: records?.apps ?? [],
  };
}

async function readRecords(
  tools: StatusTools,
  redis: Database,
): Promise<
  (Pick<ServerStatus, "apps" | "alert" | "proxies"> & { revision: number | undefined }) | undefined
> {
  try {
    const [apps, alert, proxies] = await Promise.all([
      appSummaries(tools),
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
