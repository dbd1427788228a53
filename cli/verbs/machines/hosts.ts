import type { Command } from "commander";
import { hostsSchema, type HostSummary } from "../../../core/api/machines/hosts.js";
import { proxiesSchema } from "../../../core/api/machines/proxies.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { proxyWarning } from "../../show/proxy-warning.js";
import { seenText } from "../../show/seen-text.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";

/** `sluice hosts [forget HOST | remove HOST]` */
export function hostsVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  command
    .command("forget")
    .description("forget a machine that is gone, with its figures and its alerts")
    .argument("<host>")
    .action(async (host: string) => forget(await context(), host));
  command
    .command("remove")
    .description("wait no more for the proxy of a machine that is gone for good")
    .argument("<host>", "its name, or the proxy's")
    .action(async (host: string) => remove(await context(), host));
}

async function list(context: Context, options: Format): Promise<void> {
  const client = new Client(context);
  const answer = await client.call("GET", apiPath("hosts"), hostsSchema);
  const proxies = options.json ? [] : await client.call("GET", apiPath("proxies"), proxiesSchema);
  const warnings = proxies.flatMap(proxyWarning);
  show(context, options, answer, (hosts) => [...hostLines(hosts, Date.now()), ...warnings]);
}

async function remove(context: Context, host: string): Promise<void> {
  const client = new Client(context);
  const known = await client.call("GET", apiPath("proxies"), proxiesSchema);
  const meant = known.map(({ proxy }) => proxy).filter((proxy) => proxy.startsWith(`${host}:`));
  // What is not a host's name is a proxy's, or the server says which there are.
  for (const proxy of meant.length > 0 ? meant : [host]) {
    await client.send("DELETE", apiPath("proxies", proxy));
    context.print(`${proxy} is removed. Should it report again, it is a proxy like any other.`);
  }
}

async function forget(context: Context, host: string): Promise<void> {
  await new Client(context).send("DELETE", apiPath("hosts", host));
  context.print(
    `${host} is forgotten. If a monitor still runs there, it comes back when that is started again.`,
  );
}

function hostLines(summaries: readonly HostSummary[], now: number): string[] {
  if (summaries.length === 0) return ["No host has reported yet."];
  const rows = summaries.map(({ host, roles, seenAt, sample, inventory }) => [
    host,
    roles.join(", "),
    ...figures(sample),
    `${inventory.cpus} × ${inventory.processor}`.trim(),
    seenText(seenAt, now),
  ]);
  return table(["host", "roles", "cpu", "memory", "load", "disk", "instances", "processor", "seen"], rows);
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
