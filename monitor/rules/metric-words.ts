import type { Metric } from "../../core/records/hosts/sample.js";

/** How a metric is called, and its unit. */
export const METRIC_WORDS: Readonly<Record<Metric, readonly [name: string, unit: string]>> = {
  cpu: ["CPU", "%"],
  cpuUser: ["CPU (user)", "%"],
  cpuSystem: ["CPU (system)", "%"],
  cpuIowait: ["CPU (iowait)", "%"],
  cpuSteal: ["CPU (steal)", "%"],
  memory: ["Memory", "%"],
  memoryUsedMegabytes: ["Memory", "MB"],
  load1: ["Load", ""],
  pressureCpu: ["Pressure on the CPU", "%"],
  pressureMemory: ["Pressure on memory", "%"],
  pressureIo: ["Pressure on disks", "%"],
  disk: ["Disk", "%"],
  diskUsedMegabytes: ["Disk", "MB"],
  networkReceivedBytes: ["Network, received", "bytes/s"],
  networkSentBytes: ["Network, sent", "bytes/s"],
};
