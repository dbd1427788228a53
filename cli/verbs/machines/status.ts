import type { Command } from "commander";
import { serverStatusSchema, type ServerStatus } from "../../../core/api/machines/status.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { appLines } from "../../show/app-lines.js";
import { endedLines } from "../../show/ended-lines.js";
import { proxyWarning } from "../../show/proxy-warning.js";
import { recoveringLines } from "../../show/recovering-lines.js";
import { show, type Format } from "../../show/show.js";

/** `sluice status` */
export function statusVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => status(await context(), options));
}

async function status(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("status"), serverStatusSchema);
  show(context, options, answer, statusLines);
}

function statusLines({
  pid,
  memoryMegabytes,
  proxy,
  proxies,
  redis,
  appsRedis,
  disk,
  alert,
  recovering,
  home,
  version,
  apps,
}: ServerStatus): string[] {
  return [
    `server   up, process ${pid}, ${memoryMegabytes} MB, version ${version}, ${home}`,
    `proxy    ${proxy.state}${processText(proxy.pid)}, port ${proxy.port}, revision ${proxy.revision ?? "unknown"}`,
    ...otherProxies(proxies, proxy.revision),
    ...proxies.flatMap(proxyWarning).map((line) => `         ${line}`),
    `redis    ${redis.state}${processText(redis.pid)}`,
    ...redis.replicas.map(replicaLine),
    ...(appsRedis === undefined
      ? []
      : [`         for the apps: ${appsRedis.state}${processText(appsRedis.pid)}`]),
    ...(disk.isFull ? [diskLine(disk)] : []),
    ...recoveringLines(recovering),
    ...endedLines(apps),
    ...(alert ? ["alert    sluice:alert is yes: no canary gets visitors (sluice alerts shows why)"] : []),
    "",
    ...appLines(apps),
  ];
}

/** Of several, those that report; of one alone, the line above tells all. */
function otherProxies(
  proxies: ServerStatus["proxies"],
  slowest: ServerStatus["proxy"]["revision"],
): string[] {
  if (proxies.length < 2) return [];
  const reporting = proxies.filter(({ reports }) => reports);
  return reporting.map(
    ({ proxy, revision, hasSharedAddress }) =>
      `         ${proxy} follows${revision === slowest ? "" : `, at revision ${revision}`}${hasSharedAddress ? ", and has the shared address" : ""}`,
  );
}

function replicaLine({ host, state }: ServerStatus["redis"]["replicas"][number]): string {
  const texts = {
    "in-sync": "has a replica, in sync",
    syncing: "has a replica, which is getting all that there is",
    silent: "has a replica that is not connected",
  } as const;
  return `         ${host} ${texts[state]}`;
}

function diskLine({ freeMegabytes, neededMegabytes }: ServerStatus["disk"]): string {
  return `disk     full: ${freeMegabytes} MB free, ${neededMegabytes} MB must stay free; until then, pushes are declined`;
}

function processText(pid: number | undefined): string {
  return pid === undefined ? "" : `, process ${pid}`;
}
