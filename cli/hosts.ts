import type { HostSummary } from "../server/api/hosts-api.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

/** After so long without figures a host is said to be silent. */
const SILENT_MS = 10_000;

/** `sluice hosts` */
export async function hosts(context: Context, { json }: { json?: boolean }): Promise<void> {
  // The shape is the server's own: both come from one build.
  const answer = (await new Client(context).call("GET", "/api/hosts")) as HostSummary[];
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of hostLines(answer, Date.now())) context.print(line);
}

/** `sluice hosts forget HOST` */
export async function forgetHost(context: Context, host: string): Promise<void> {
  await new Client(context).call("DELETE", `/api/hosts/${encodeURIComponent(host)}`);
  context.print(
    `${host} is forgotten. If a monitor still runs there, it comes back when that is started again.`,
  );
}

/** Hosts for people. */
export function hostLines(summaries: readonly HostSummary[], now: number): string[] {
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

/** `now`, or since when it is silent. */
export function seenText(seenAt: string | null, now: number): string {
  if (seenAt === null) return "never";
  const silentMs = now - Date.parse(seenAt);
  return silentMs < SILENT_MS ? "now" : `silent since ${seenAt.slice(0, 19).replace("T", " ")} UTC`;
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}
