import type { Command } from "commander";
import { hostsSchema, type HostSummary } from "../../../core/api/machines/hosts.js";
import { billedDropletsSchema } from "../../../core/api/machines/provision.js";
import { billedSnapshotsSchema } from "../../../core/api/machines/snapshots.js";
import { proxiesSchema } from "../../../core/api/machines/proxies.js";
import { apiPath } from "../../client/api-path.js";
import { RemoteError } from "../../client/remote-error.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { dropletLines, snapshotLine } from "../../show/bill-lines.js";
import { hostLine } from "../../show/host-line.js";
import { proxyWarning } from "../../show/proxy-warning.js";
import { drainHost, undrainHost } from "./drain-host.js";
import { removeHost, type RemoveOptions } from "./remove-host.js";
import { seenText } from "../../show/seen-text.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";

/** `sluice hosts [drain HOST | undrain HOST | forget HOST | remove HOST]` */
export function hostsVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  command
    .command("drain")
    .description("move the instances of a host to others, and start none there")
    .argument("<host>")
    .action(async (host: string) => drainHost(await context(), host));
  command
    .command("undrain")
    .description("let a host that was drained run instances again")
    .argument("<host>")
    .action(async (host: string) => undrainHost(await context(), host));
  command
    .command("forget")
    .description("forget a host that is gone, with its figures and alerts")
    .argument("<host>")
    .action(async (host: string) => forget(await context(), host));
  command
    .command("remove")
    .description(
      "take a host out, and destroy its droplet; or stop waiting for a proxy that is gone for good",
    )
    .argument("<host>", "name of the host or of its proxy")
    .option("--force", "even if it is the last one of its role, or gone for good")
    .action(async (host: string, options: RemoveOptions) => remove(await context(), host, options));
}

async function list(context: Context, options: Format): Promise<void> {
  const client = new Client(context);
  const answer = await client.call("GET", apiPath("hosts"), hostsSchema);
  const proxies = options.json ? [] : await client.call("GET", apiPath("proxies"), proxiesSchema);
  const holders = proxies.filter(({ hasSharedAddress }) => hasSharedAddress);
  const warnings = proxies.flatMap(proxyWarning);
  const bill = options.json ? [] : await billLines(client);
  show(context, options, answer, (hosts) => [
    ...hostLines(hosts, Date.now()),
    ...hosts.flatMap(failureLines),
    ...bill,
    ...holders.map(({ proxy }) => sharedLine(proxy.split(":")[0] ?? "")),
    ...hosts.flatMap(({ host, provisioned }) => (provisioned?.hasReservedAddress ? [sharedLine(host)] : [])),
    ...warnings,
  ]);
}

/** The hosts are shown whether DigitalOcean answers or not. */
async function billLines(client: Client): Promise<string[]> {
  try {
    const droplets = await client.call("GET", apiPath("hosts", "droplets"), billedDropletsSchema);
    const snapshots = await client.call("GET", apiPath("hosts", "snapshots"), billedSnapshotsSchema);
    return [...dropletLines(droplets), ...snapshots.map(snapshotLine)];
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return [` !     What DigitalOcean bills is not known: ${error.message}`];
  }
}

function sharedLine(host: string): string {
  return `The address that the proxies share is at ${host}.`;
}

function failureLines({ host, provisioned }: HostSummary): string[] {
  const failure = provisioned?.failure;
  if (failure === undefined || failure === null) return [];
  return [`${host}: ${failure.message}`, failure.hint].map((text) => hostLine({ kind: "problem", text }));
}

async function remove(context: Context, host: string, options: RemoveOptions): Promise<void> {
  const client = new Client(context);
  const hosts = await client.call("GET", apiPath("hosts"), hostsSchema);
  if (hosts.some((one) => one.host === host && one.provisioned !== null))
    return removeHost(context, host, options);
  const known = await client.call("GET", apiPath("proxies"), proxiesSchema);
  const meant = known.map(({ proxy }) => proxy).filter((proxy) => proxy.startsWith(`${host}:`));
  // Any other name is a proxy's. If there is no such proxy, the server lists those it knows.
  for (const proxy of meant.length > 0 ? meant : [host]) {
    await client.send("DELETE", apiPath("proxies", proxy));
    context.print(`${proxy} was removed. If it reports again, it is added again.`);
  }
}

async function forget(context: Context, host: string): Promise<void> {
  await new Client(context).send("DELETE", apiPath("hosts", host));
  context.print(
    `${host} was forgotten. If a monitor still runs there, the host is added again when that monitor restarts.`,
  );
}

function hostLines(summaries: readonly HostSummary[], now: number): string[] {
  if (summaries.length === 0) return ["No host has reported yet."];
  const rows = summaries.map(({ host, roles, phase, address, seenAt, sample, inventory }) => [
    ...[host, address ?? "-", roles.join(", "), phase],
    ...figures(sample),
    inventory === null ? "-" : `${inventory.cpus} × ${inventory.processor}`.trim(),
    seenText(seenAt, now),
  ]);
  const figureHeads = ["cpu", "memory", "load", "disk", "instances", "processor", "seen"];
  return [
    ...table(["host", "address", "roles", "phase", ...figureHeads], rows),
    ...summaries.flatMap(problemLines),
  ];
}

function problemLines({ host, left, provisioned }: HostSummary): string[] {
  const failure = provisioned?.failure;
  return [
    ...left.flatMap(({ instance, problem }) =>
      problem === null ? [] : [` !     ${instance} stays on ${host}: ${problem}`],
    ),
    ...(failure == null ? [] : [` !     ${host}: ${failure.step}: ${failure.message}`]),
  ];
}

function figures(sample: HostSummary["sample"]): string[] {
  if (sample === null) return ["-", "-", "-", "-", "-"];
  const { cpu, memory, load1, disk, instances } = sample;
  return [
    percent(cpu.busy),
    `${percent(memory.percent)} of ${(memory.totalMegabytes / 1024).toFixed(1)} GB`,
    load1 === undefined ? "-" : load1.toFixed(2),
    disk === undefined ? "-" : percent(disk.percent),
    String(Object.keys(instances).length),
  ];
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}
