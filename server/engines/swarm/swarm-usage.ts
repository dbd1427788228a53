import { join } from "node:path";
import { existsSync } from "node:fs";
import { CGROUPS } from "../../../core/instances/control-group.js";
import { parseCpuStat, parseGroupMemory } from "../../../core/kernel/cgroup.js";
import { count } from "../../../core/kernel/fields.js";
import { KernelFiles } from "../../../core/kernel/kernel-files.js";
import { isAppError } from "../../../core/errors/app-error.js";
import type { Container, SwarmApi } from "./swarm-api.js";

/** As the monitor wants it (`InstanceUsage`), which this room does not know. */
interface InstanceReading {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly restarts: number;
}

interface Files {
  readonly memoryUsage: string;
  readonly memoryStat: string;
  /** Version 2: `cpu.stat`; version 1: `cpuacct.usage`, in nanoseconds. */
  readonly cpu: string;
}

/** Docker is asked for its containers once in so many looks: that costs it more than all the readings. */
const LOOKS_TRUSTED = 3;
const NANOSECONDS = 1e9;

/** How much the instances that a Swarm has given this host have used, from the control groups of their containers. */
export class SwarmUsage {
  private readonly files = new KernelFiles();
  private readonly isUnified: boolean;
  private containers: readonly Container[] = [];
  private looks = 0;

  constructor(
    private readonly api: Pick<SwarmApi, "containers">,
    private readonly cgroups = CGROUPS,
  ) {
    this.isUnified = existsSync(join(cgroups, "cgroup.controllers"));
  }

  async read(): Promise<Map<string, InstanceReading>> {
    if (this.looks++ % LOOKS_TRUSTED === 0) this.containers = await this.containersNow();
    const readings = new Map<string, InstanceReading>();
    for (const { id, instance, isRunning } of this.containers) {
      if (!isRunning) continue;
      const usage = this.usageOf(id);
      const restarts = this.containers.filter((each) => each.instance === instance && !each.isRunning).length;
      if (usage !== undefined) readings.set(instance, { ...usage, restarts });
    }
    this.files.closeUnread();
    return readings;
  }

  close(): void {
    this.files.close();
  }

  /** While Docker is away, those that it named last. */
  private async containersNow(): Promise<readonly Container[]> {
    return this.api.containers().catch((error: unknown) => {
      if (isAppError(error, "engine-unavailable")) return this.containers;
      throw error;
    });
  }

  private usageOf(container: string): Omit<InstanceReading, "restarts"> | undefined {
    // As Docker's two drivers for control groups name them: systemd and cgroupfs.
    for (const group of [`system.slice/docker-${container}.scope`, `docker/${container}`]) {
      const files = this.filesOf(group);
      const usage = this.files.read(files.memoryUsage);
      if (usage === undefined) continue;
      const memoryBytes = parseGroupMemory(usage, this.files.read(files.memoryStat) ?? "");
      const cpuSeconds = this.cpuSecondsIn(this.files.read(files.cpu) ?? "");
      if (memoryBytes !== undefined && cpuSeconds !== undefined) return { memoryBytes, cpuSeconds };
    }
    return undefined;
  }

  private filesOf(group: string): Files {
    const { cgroups } = this;
    if (this.isUnified)
      return {
        memoryUsage: join(cgroups, group, "memory.current"),
        memoryStat: join(cgroups, group, "memory.stat"),
        cpu: join(cgroups, group, "cpu.stat"),
      };
    return {
      memoryUsage: join(cgroups, "memory", group, "memory.usage_in_bytes"),
      memoryStat: join(cgroups, "memory", group, "memory.stat"),
      cpu: join(cgroups, "cpuacct", group, "cpuacct.usage"),
    };
  }

  private cpuSecondsIn(text: string): number | undefined {
    if (this.isUnified) {
      const cpu = parseCpuStat(text);
      return cpu && cpu.userSeconds + cpu.systemSeconds;
    }
    const nanoseconds = count(text.trim());
    return nanoseconds === undefined ? undefined : nanoseconds / NANOSECONDS;
  }
}
