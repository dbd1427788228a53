import { count, valueOf } from "./fields.js";

/** Above this a version 1 limit means none: the kernel writes 2^63 − 1, rounded down to whole pages. */
const NO_LIMIT_BYTES = 2 ** 60;

/** cgroups(7), /proc/PID/cgroup: controller → the group's path; version 2 has the name "". */
export function parseOwnGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined || path.split("/").includes("..")) continue;
    for (const controller of controllers.split(",")) groups.set(controller, path);
  }
  return groups;
}

/** Version 2, `cpu.max`: `QUOTA PERIOD` in µs, or `max PERIOD`. Answers processors; undefined without a limit. */
export function parseCpuMax(text: string): number | undefined {
  const [quota, period] = text.trim().split(" ");
  return cpusOf(count(quota), count(period));
}

/** Version 1, `cpu.cfs_quota_us` (-1: none) and `cpu.cfs_period_us`. */
export function parseCpuQuota(quota: string, period: string): number | undefined {
  return cpusOf(count(quota.trim()), count(period.trim()));
}

/** `memory.max` (version 2) or `memory.limit_in_bytes` (version 1). */
export function parseMemoryLimit(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^\d{1,20}$/.test(trimmed) || Number(trimmed) >= NO_LIMIT_BYTES) return undefined;
  return Number(trimmed) > 0 ? Number(trimmed) : undefined;
}

export interface GroupCpu {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

/** Version 2, `cpu.stat`. */
export function parseCpuStat(text: string): GroupCpu | undefined {
  return seconds(valueOf(text, "user_usec"), valueOf(text, "system_usec"), 1e6);
}

/** Version 1, `cpuacct.stat`: ticks. */
export function parseCpuacctStat(text: string, ticksPerSecond: number): GroupCpu | undefined {
  return seconds(valueOf(text, "user"), valueOf(text, "system"), ticksPerSecond);
}

/**
 * Bytes that a group holds and would not give back at once: its usage (`memory.current`, `memory.usage_in_bytes`) without the
 * files that nobody has read for a while (`memory.stat`).
 */
export function parseGroupMemory(usage: string, stat: string): number | undefined {
  const used = count(usage.trim());
  if (used === undefined) return undefined;
  const idleFiles = valueOf(stat, "total_inactive_file") ?? valueOf(stat, "inactive_file") ?? 0;
  return Math.max(0, used - idleFiles);
}

/** `cgroup.procs`: a pid a line. */
export function parseProcs(text: string): number[] {
  return text
    .split("\n")
    .map(count)
    .filter((pid) => pid !== undefined && pid > 0)
    .map(Number);
}

function cpusOf(quota: number | undefined, period: number | undefined): number | undefined {
  if (quota === undefined || period === undefined || quota === 0 || period === 0) return undefined;
  return quota / period;
}

function seconds(
  user: number | undefined,
  system: number | undefined,
  perSecond: number,
): GroupCpu | undefined {
  if (user === undefined || system === undefined) return undefined;
  return { userSeconds: user / perSecond, systemSeconds: system / perSecond };
}
