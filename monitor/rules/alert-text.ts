import type { Rule } from "../../core/monitor-settings.js";
import type { Metric } from "../../core/records/sample.js";

const NAMES: Readonly<Record<Metric, readonly [name: string, unit: string]>> = {
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

/** "CPU of web-1 was above 50 % for 30 s; it is 72.5 %." */
export function alertText({ metric, above, below, forSeconds }: Rule, host: string, value: number): string {
  const [name, unit] = NAMES[metric];
  const figure = (number: number): string => `${number} ${unit}`.trim();
  const limit = above === undefined ? `below ${figure(below ?? 0)}` : `above ${figure(above)}`;
  return `${name} of ${host} was ${limit} for ${forSeconds} s; it is ${figure(value)}.`;
}

export function silentText(host: string, seconds: number): string {
  return `${host} has sent no figures for ${seconds} s.`;
}
