import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  parseCpuacctStat,
  parseCpuMax,
  parseCpuQuota,
  parseCpuStat,
  parseGroupMemory,
  parseMemoryLimit,
  parseOwnGroups,
  type GroupCpu,
} from "../../core/kernel/cgroup.js";
import type { KernelFiles } from "../../core/kernel/kernel-files.js";

export interface CpuLimit {
  /** Processors' worth of time that may be used. */
  readonly cpus: number;
  readonly used: GroupCpu;
}

export interface MemoryLimit {
  readonly limitBytes: number;
  readonly usedBytes: number;
}

interface CpuGroup {
  limit(): number | undefined;
  used(): GroupCpu | undefined;
}

interface MemoryGroup {
  limit(): number | undefined;
  used(): number | undefined;
}

/** What the control groups above this process leave of the machine: the tightest limit of each kind, and what is used of it. */
export class OwnLimits {
  private readonly cpu: readonly CpuGroup[];
  private readonly memory: readonly MemoryGroup[];

  /** `mount` is where control groups are mounted. */
  constructor(files: KernelFiles, mount: string, ownGroups: string, ticksPerSecond: number) {
    const groups = parseOwnGroups(ownGroups);
    const unified = existsSync(join(mount, "cgroup.controllers")) ? pathsUp(groups.get("")) : [];
    const [read, at] = [(path: string): string => files.read(path) ?? "", join];
    this.cpu = [
      ...unified.map((path) => ({
        limit: () => parseCpuMax(read(at(mount, path, "cpu.max"))),
        used: () => parseCpuStat(read(at(mount, path, "cpu.stat"))),
        file: at(mount, path, "cpu.max"),
      })),
      ...pathsUp(groups.get("cpu")).map((path) => ({
        limit: () =>
          parseCpuQuota(
            read(at(mount, "cpu", path, "cpu.cfs_quota_us")),
            read(at(mount, "cpu", path, "cpu.cfs_period_us")),
          ),
        used: () => parseCpuacctStat(read(at(mount, "cpuacct", path, "cpuacct.stat")), ticksPerSecond),
        file: at(mount, "cpu", path, "cpu.cfs_quota_us"),
      })),
    ].filter(({ file }) => existsSync(file));
    this.memory = [
      ...unified.map((path) => memoryFiles(at(mount, path), "memory.max", "memory.current")),
      ...pathsUp(groups.get("memory")).map((path) =>
        memoryFiles(at(mount, "memory", path), "memory.limit_in_bytes", "memory.usage_in_bytes"),
      ),
    ]
      .filter(({ limit }) => existsSync(limit))
      .map(({ limit, usage, stat }) => ({
        limit: () => parseMemoryLimit(read(limit)),
        used: () => parseGroupMemory(read(usage), read(stat)),
      }));
  }

  /** Undefined when nothing is tighter than the machine's own `cpus`. */
  cpuLimit(cpus: number): CpuLimit | undefined {
    const tightest = tightestOf(this.cpu, cpus);
    const used = tightest?.group.used();
    return tightest === undefined || used === undefined ? undefined : { cpus: tightest.limit, used };
  }

  memoryLimit(totalBytes: number): MemoryLimit | undefined {
    const tightest = tightestOf(this.memory, totalBytes);
    const usedBytes = tightest?.group.used();
    return tightest === undefined || usedBytes === undefined
      ? undefined
      : { limitBytes: tightest.limit, usedBytes };
  }
}

function tightestOf<G extends { limit(): number | undefined }>(
  groups: readonly G[],
  size: number,
): { group: G; limit: number } | undefined {
  let tightest: { group: G; limit: number } | undefined;
  for (const group of groups) {
    const limit = group.limit();
    if (limit !== undefined && limit < (tightest?.limit ?? size)) tightest = { group, limit };
  }
  return tightest;
}

function memoryFiles(folder: string, limit: string, usage: string) {
  return { limit: join(folder, limit), usage: join(folder, usage), stat: join(folder, "memory.stat") };
}

/** The group and those above it. A container may see its own group as the mount itself. */
function pathsUp(path: string | undefined): string[] {
  if (path === undefined) return [];
  return path === "/" ? ["/"] : [path, ...pathsUp(dirname(path))];
}
