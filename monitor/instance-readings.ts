import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../core/home.js";
import { instanceGroup } from "../core/instance-group.js";
import { parseStatus } from "../core/runsv.js";
import type { KernelUnits } from "./readers/auxv.js";
import { parseCpuStat, parseGroupMemory, parseProcs } from "./readers/cgroup.js";
import { count } from "./readers/fields.js";
import type { KernelFiles } from "./readers/kernel-files.js";
import { parseProcessStat } from "./readers/process-stat.js";
import { ProcessGroups } from "./process-groups.js";

export interface InstanceReading {
  /** Since it was started first; less than before after a restart. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly restarts: number;
}

export interface InstancePlaces {
  readonly home: Home;
  readonly proc: string;
  /** Where control groups are mounted. */
  readonly cgroups: string;
}

/**
 * What the instances of this host's state folder have used: from their control groups, or where there are none from the
 * processes of their process groups.
 */
export class InstanceReadings {
  private readonly processes: ProcessGroups;
  private readonly isUnified: boolean;
  private readonly known = new Map<string, InstanceFiles>();

  constructor(
    private readonly files: KernelFiles,
    private readonly units: KernelUnits,
    private readonly places: InstancePlaces,
  ) {
    this.processes = new ProcessGroups(files, places.proc);
    this.isUnified = existsSync(join(places.cgroups, "cgroup.controllers"));
  }

  /** One pass over the instances: what is looked at once a second by everybody must not grow faster than they do. */
  read(): Map<string, InstanceReading> {
    const ids = new Set(this.ids());
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    const readings = new Map<string, InstanceReading>();
    let members: Map<number, number[]> | undefined;
    for (const id of ids) {
      const files = this.filesOf(id);
      const used = this.ofControlGroup(files) ?? this.ofProcesses((members ??= this.processes.look()), files);
      if (used !== undefined) readings.set(id, { ...used, restarts: restartsIn(files.end) });
    }
    return readings;
  }

  /** Instances' ids have four parts; Sluice's own services (redis, haproxy) have one. */
  private ids(): string[] {
    const folder = this.places.home.services();
    if (!existsSync(folder)) return [];
    return readdirSync(folder).filter((name) => name.split(".").length === 4);
  }

  private ofControlGroup(files: InstanceFiles): Omit<InstanceReading, "restarts"> | undefined {
    const usage = this.files.read(files.memoryUsage);
    if (usage === undefined) return undefined;
    const memoryBytes = parseGroupMemory(usage, this.textOf(files.memoryStat));
    if (memoryBytes === undefined) return undefined;
    if (!this.isUnified) return { ...this.ofPids(parseProcs(this.textOf(files.processes))), memoryBytes };
    const cpu = parseCpuStat(this.textOf(files.cpuStat));
    return cpu && { cpuSeconds: cpu.userSeconds + cpu.systemSeconds, memoryBytes };
  }

  private textOf(path: string): string {
    return this.files.read(path) ?? "";
  }

  private filesOf(id: string): InstanceFiles {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const { cgroups, home } = this.places;
    const group = instanceGroup(this.isUnified ? cgroups : join(cgroups, "memory"), home.root, id);
    const files = {
      memoryUsage: join(group, this.isUnified ? "memory.current" : "memory.usage_in_bytes"),
      memoryStat: join(group, "memory.stat"),
      cpuStat: join(group, "cpu.stat"),
      processes: join(group, "cgroup.procs"),
      status: join(home.service(id), "supervise/status"),
      end: join(home.service(id), "end"),
    };
    this.known.set(id, files);
    return files;
  }

  /** `runsv` writes the state into a new file each time: it cannot be kept open. */
  private ofProcesses(
    members: ReadonlyMap<number, readonly number[]>,
    files: InstanceFiles,
  ): Omit<InstanceReading, "restarts"> | undefined {
    const { pid } = parseStatus(Buffer.from(textOf(files.status), "latin1"));
    const pids = pid === undefined ? undefined : members.get(pid);
    return pids && this.ofPids(pids);
  }

  private ofPids(pids: readonly number[]): Omit<InstanceReading, "restarts"> {
    let [ticks, pages] = [0, 0];
    for (const pid of pids) {
      const stat = parseProcessStat(this.textOf(`${this.places.proc}/${pid}/stat`));
      ticks += stat?.ticks ?? 0;
      pages += stat?.residentPages ?? 0;
    }
    return { cpuSeconds: ticks / this.units.ticksPerSecond, memoryBytes: pages * this.units.pageBytes };
  }
}

/** Where an instance's figures are. */
interface InstanceFiles {
  readonly memoryUsage: string;
  readonly memoryStat: string;
  readonly cpuStat: string;
  readonly processes: string;
  readonly status: string;
  readonly end: string;
}

/** `end` holds how often it has ended, how, and by which signal. */
function restartsIn(end: string): number {
  const text = textOf(end);
  return text === "" ? 0 : (count(text.trim().split(" ")[0]) ?? 0);
}

function textOf(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, "latin1") : "";
  } catch {
    return "";
  }
}
