import { METRIC_NAMES, METRICS, type Metric, type Sample } from "../../../core/records/hosts/sample.js";
import type { ProxySummary } from "../../../core/api/machines/proxies.js";
import { bucketMs } from "../../../core/records/traffic/latency-buckets.js";
import type { AppTraffic } from "../../../core/records/traffic/traffic-series.js";

export interface Metrics {
  readonly traffic: readonly AppTraffic[];
  /** App → releases that can be reached, and instances that run. */
  readonly apps: readonly { readonly app: string; readonly releases: number; readonly instances: number }[];
  readonly proxies: readonly ProxySummary[];
  /** The newest of each host that reports. */
  readonly hosts: readonly HostSample[];
}

export interface HostSample {
  readonly host: string;
  readonly sample: Sample;
}

/** Seconds. A latency is counted by the middle of its bucket (`latency-buckets.ts`). */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Prometheus' text format 0.0.4. */
export function prometheusText({ traffic, apps, proxies, hosts }: Metrics): string {
  const instances = instancesOf({ hosts, apps });
  return [
    family("sluice_requests_total", "counter", "Finished requests, by result.", traffic, requests),
    family("sluice_response_bytes_total", "counter", "Bytes sent to visitors.", traffic, (one) => [
      line("sluice_response_bytes_total", labelsOf(one), one.bytes),
    ]),
    family("sluice_visitors_total", "counter", "Visitors who were given a cookie.", traffic, (one) => [
      line("sluice_visitors_total", labelsOf(one), one.visitors),
    ]),
    family("sluice_goals_total", "counter", "Visitors who reached the goal.", traffic, (one) => [
      line("sluice_goals_total", labelsOf(one), one.goals),
    ]),
    family("sluice_response_seconds", "histogram", "Time from a request to its answer.", traffic, histogram),
    family("sluice_releases", "gauge", "Releases that are in the route table.", apps, ({ app, releases }) => [
      line("sluice_releases", { app }, releases),
    ]),
    family("sluice_instances", "gauge", "Running instances.", apps, ({ app, instances }) => [
      line("sluice_instances", { app }, instances),
    ]),
    family("sluice_proxy_up", "gauge", "Whether a proxy has reported lately.", proxies, (one) => [
      line("sluice_proxy_up", { proxy: one.proxy }, one.reports ? 1 : 0),
    ]),
    family("sluice_proxy_revision", "gauge", "Of the routes that a proxy follows.", proxies, (one) => [
      line("sluice_proxy_revision", { proxy: one.proxy }, one.revision),
    ]),
    family("sluice_proxy_failing_apps", "gauge", "Apps whose routes it cannot apply.", proxies, (one) => [
      line("sluice_proxy_failing_apps", { proxy: one.proxy }, one.failing.length),
    ]),
    ...METRIC_NAMES.map((metric) => hostFamily(metric, hosts)),
    instanceFamily("cpu_percent", "CPU of an instance, in percent of its host.", instances, ({ cpu }) => cpu),
    instanceFamily(
      "memory_megabytes",
      "Memory of an instance.",
      instances,
      ({ memoryMegabytes }) => memoryMegabytes,
    ),
    instanceFamily("restarts", "How often an instance has ended.", instances, ({ restarts }) => restarts),
  ].join("");
}

/** `cpuUser` → `sluice_host_cpu_user`, in the units of docs/alert-rules.md. */
function hostFamily(metric: Metric, hosts: readonly HostSample[]): string {
  const name = `sluice_host_${metric.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  return family(name, "gauge", `The monitor's ${metric}.`, hosts, ({ host, sample }) => {
    const value = METRICS[metric](sample);
    return value === undefined ? [] : [line(name, { host }, value)];
  });
}

interface InstanceFigures {
  readonly labels: Record<string, string>;
  readonly instance: Sample["instances"][string];
}

/** A sample may still tell of an app that is gone. */
function instancesOf({ hosts, apps }: Pick<Metrics, "hosts" | "apps">): InstanceFigures[] {
  const known = new Set(apps.map(({ app }) => app));
  return hosts.flatMap(({ host, sample }) =>
    Object.entries(sample.instances).flatMap(([id, instance]) => {
      const [app = "", release = "", process = ""] = id.split(".");
      return known.has(app) ? [{ labels: { host, app, release, process, instance: id }, instance }] : [];
    }),
  );
}

function instanceFamily(
  suffix: string,
  help: string,
  instances: readonly InstanceFigures[],
  valueOf: (instance: InstanceFigures["instance"]) => number,
): string {
  const name = `sluice_instance_${suffix}`;
  return family(name, "gauge", help, instances, ({ labels, instance }) => [
    line(name, labels, valueOf(instance)),
  ]);
}

function family<T>(
  name: string,
  type: string,
  help: string,
  items: readonly T[],
  lines: (item: T) => string[],
): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${items.flatMap(lines).join("")}`;
}

function requests(one: AppTraffic): string[] {
  const codes = {
    "2xx_3xx": one.answersOk,
    "4xx": one.answers4xx,
    "5xx": one.answers5xx,
    failed: one.failed,
  };
  return Object.entries(codes).map(([code, sum]) =>
    line("sluice_requests_total", { ...labelsOf(one), code }, sum),
  );
}

function histogram(one: AppTraffic): string[] {
  const buckets = Object.entries(one.latencies).map(
    ([bucket, answers]) => ({ seconds: bucketMs(Number(bucket)) / 1000, answers }) as const,
  );
  const upTo = (bound: number): number =>
    buckets.reduce((sum, { seconds, answers }) => (seconds <= bound ? sum + answers : sum), 0);
  const labels = labelsOf(one);
  return [
    ...BOUNDS.map((le) => line("sluice_response_seconds_bucket", { ...labels, le: String(le) }, upTo(le))),
    line("sluice_response_seconds_bucket", { ...labels, le: "+Inf" }, upTo(Infinity)),
    line(
      "sluice_response_seconds_sum",
      labels,
      buckets.reduce((sum, { seconds, answers }) => sum + seconds * answers, 0),
    ),
    line("sluice_response_seconds_count", labels, upTo(Infinity)),
  ];
}

function labelsOf({ app, track, release }: AppTraffic): Record<string, string> {
  return { app, track, release };
}

function line(name: string, labels: Record<string, string>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}{${pairs.join(",")}} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
