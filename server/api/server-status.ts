import type { Database } from "../../core/redis/database.js";
import { isAlert } from "../../core/records/alerts/is-alert.js";
import { serviceState } from "../../core/exec/runsv.js";
import { diskSpace, type DiskSpace } from "../pipeline/disk-space.js";
import type { Tools } from "../tools.js";
import { proxySummary, type ProxySummary } from "./proxies-api.js";
import { appSummaries, type AppSummary } from "./summaries.js";

export interface ServerStatus {
  readonly version: string;
  /** Of the Node server. */
  readonly pid: number;
  readonly home: string;
  readonly memoryMegabytes: number;
  readonly proxy: {
    readonly state: "up" | "down";
    readonly pid: number | undefined;
    readonly port: number;
    readonly revision: number | undefined;
  };
  /** All that there are, here and elsewhere. */
  readonly proxies: readonly ProxySummary[];
  readonly redis: { readonly state: "up" | "down"; readonly pid: number | undefined };
  readonly disk: DiskSpace;
  /** `sluice:alert` is yes: no canary gets visitors. */
  readonly alert: boolean;
  /** Apps whose releases an earlier server left, and that are still being looked after: what is asked for them waits. */
  readonly recovering: readonly string[];
  readonly apps: readonly AppSummary[];
}

/** What `sluice status` shows. With Redis away it still tells so, without the apps. */
export async function serverStatus(tools: Tools, redis: Database, version: string): Promise<ServerStatus> {
  const [haproxy, redisService, disk] = await Promise.all([
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
    disk,
    alert: records?.alert ?? false,
    recovering: tools.recovering.names(),
    apps: records?.apps ?? [],
  };
}

async function readRecords(
  tools: Tools,
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
