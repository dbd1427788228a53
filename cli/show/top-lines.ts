import type { AlertsSummary } from "../../core/api/machines/alerts.js";
import type { HostFigures, HostSamples, HostSummary } from "../../core/api/machines/hosts.js";
import { seenText } from "./seen-text.js";
import { sparkline } from "./sparkline.js";
import { table } from "./table.js";

export interface TopHost {
  readonly summary: HostSummary;
  /** Of the last minute, by the second. */
  readonly samples: HostSamples;
}

export const CHART_SECONDS = 60;
const MOST_INSTANCES = 10;
const MEGABYTE = 1024 * 1024;

/** What `sluice top` shows at one moment: each host with charts of its last minute, its busiest instances, the alerts. */
export function topLines(hosts: readonly TopHost[], { lasting }: AlertsSummary, now: number): string[] {
  if (hosts.length === 0) return ["No host has reported yet."];
  const alerts = lasting.map(({ id, text }) => `!  ${text} (${id})`);
  return [
    ...hosts.flatMap((host) => hostLines(host, now)),
    ...(alerts.length === 0 ? ["No active alerts."] : alerts),
  ];
}

function hostLines({ summary, samples }: TopHost, now: number): string[] {
  const { host, roles, sample, seenAt } = summary;
  const seen = seenText(seenAt, now);
  const title = [host, roles.join(", "), seen === "now" ? "" : seen].filter((part) => part !== "").join("  ");
  if (sample === null) return [title, "  no figures yet", ""];
  const { cpu, memory, load1, disk, network, instances } = sample;
  const chart = (of: (mean: HostFigures) => number | undefined, top: number): string =>
    sparkline(bySecond(samples, of), top, CHART_SECONDS);
  const peak = Math.max(MEGABYTE, ...samples.points.map(({ max }) => traffic(max) ?? 0));
  const rows = [
    [
      "  cpu",
      percent(cpu.busy),
      chart((mean) => mean.cpu, 100),
      `steal ${percent(cpu.steal)}, iowait ${percent(cpu.iowait)}`,
    ],
    [
      "  memory",
      percent(memory.percent),
      chart((mean) => mean.memory, 100),
      `${memory.usedMegabytes} of ${memory.totalMegabytes} MB`,
    ],
    [
      "  load",
      load1?.toFixed(2) ?? "-",
      chart((mean) => mean.load1, sample.cpus * 2),
      `${sample.cpus} processors`,
    ],
    [
      "  network",
      network === undefined ? "-" : rate(network.receivedBytes + network.sentBytes),
      chart(traffic, peak),
      "",
    ],
    ["  disk", disk === undefined ? "-" : percent(disk.percent), chart((mean) => mean.disk, 100), ""],
  ];
  const [, ...lines] = table(["", "", "", ""], rows);
  return [title, ...lines, ...instanceLines(instances), ""];
}

function instanceLines(instances: NonNullable<HostSummary["sample"]>["instances"]): string[] {
  const busiest = Object.entries(instances)
    .sort(([, a], [, b]) => b.cpu - a.cpu || b.memoryMegabytes - a.memoryMegabytes)
    .slice(0, MOST_INSTANCES);
  if (busiest.length === 0) return [];
  return table(
    ["  instance", "cpu", "memory", "restarts"],
    busiest.map(([id, { cpu, memoryMegabytes, restarts }]) => [
      `  ${id}`,
      percent(cpu),
      `${memoryMegabytes.toFixed(0)} MB`,
      String(restarts),
    ]),
  );
}

/** A second without a sample is a gap in the chart. */
function bySecond(
  { to, points }: HostSamples,
  of: (mean: HostFigures) => number | undefined,
): (number | undefined)[] {
  const last = Math.floor(Date.parse(to) / 1000);
  const values = new Map(points.map(({ at, mean }) => [Math.floor(Date.parse(at) / 1000), of(mean)]));
  return Array.from({ length: CHART_SECONDS }, (_, index) => values.get(last - CHART_SECONDS + index));
}

function traffic({ networkReceivedBytes, networkSentBytes }: HostFigures): number | undefined {
  return networkReceivedBytes === undefined ? undefined : networkReceivedBytes + (networkSentBytes ?? 0);
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}

function rate(bytesPerSecond: number): string {
  return `${(bytesPerSecond / MEGABYTE).toFixed(2)} MB/s`;
}
