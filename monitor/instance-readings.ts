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
  private readonly groups = new Map<string, string>();

  constructor(
    private readonly files: KernelFiles,
    private readonly units: KernelUnits,
    private readonly places: InstancePlaces,
  ) {
    this.processes = new ProcessGroups(files, places.proc);
    this.isUnified = existsSync(join(places.cgroups, "cgroup.controllers"));
  }

  read(): Map<string, InstanceReading> {
    const ids = this.ids();
    for (const id of this.groups.keys()) if (!ids.includes(id)) this.groups.delete(id);
    const readings = new Map<string, InstanceReading>();
    let members: Map<number, number[]> | undefined;
    for (const id of ids) {
      const used = this.ofControlGroup(id) ?? this.ofProcesses((members ??= this.processes.look()), id);
      if (used !== undefined) readings.set(id, { ...used, restarts: this.restarts(id) });
    }
    return readings;
  }

  /** Instances' ids have four parts; Sluice's own services (redis, haproxy) have one. */
  private ids(): string[] {
    const folder = this.places.home.services();
    if (!existsSync(folder)) return [];
    return readdirSync(folder).filter((name) => name.split(".").length === 4);
  }

  private ofControlGroup(id: string): Omit<InstanceReading, "restarts"> | undefined {
    const group = this.groupOf(id);
    const read = (file: string): string => this.files.read(`${group}/${file}`) ?? "";
    const usage = read(this.isUnified ? "memory.current" : "memory.usage_in_bytes");
    const memoryBytes = usage === "" ? undefined : parseGroupMemory(usage, read("memory.stat"));
    if (memoryBytes === undefined) return undefined;
    if (!this.isUnified) return { ...this.ofPids(parseProcs(read("cgroup.procs"))), memoryBytes };
    const cpu = parseCpuStat(read("cpu.stat"));
    return cpu && { cpuSeconds: cpu.userSeconds + cpu.systemSeconds, memoryBytes };
  }

  private groupOf(id: string): string {
    const known = this.groups.get(id);
    if (known !== undefined) return known;
    const { cgroups, home } = this.places;
    const group = instanceGroup(this.isUnified ? cgroups : join(cgroups, "memory"), home.root, id);
    this.groups.set(id, group);
    return group;
  }

  /** `runsv` writes the state into a new file each time: it cannot be kept open. */
  private ofProcesses(
    members: ReadonlyMap<number, readonly number[]>,
    id: string,
  ): Omit<InstanceReading, "restarts"> | undefined {
    const status = textOf(join(this.places.home.service(id), "supervise/status"), "latin1");
    const { pid } = parseStatus(Buffer.from(status, "latin1"));
    const pids = pid === undefined ? undefined : members.get(pid);
    return pids && this.ofPids(pids);
  }

  private ofPids(pids: readonly number[]): Omit<InstanceReading, "restarts"> {
    let [ticks, pages] = [0, 0];
    for (const pid of pids) {
      const stat = parseProcessStat(this.files.read(`${this.places.proc}/${pid}/stat`) ?? "");
      ticks += stat?.ticks ?? 0;
      pages += stat?.residentPages ?? 0;
    }
    return { cpuSeconds: ticks / this.units.ticksPerSecond, memoryBytes: pages * this.units.pageBytes };
  }

  /** `end` holds how often it has ended, how, and by which signal. */
  private restarts(id: string): number {
    return (
      count(
        textOf(join(this.places.home.service(id), "end"), "latin1")
          .trim()
          .split(" ")[0],
      ) ?? 0
    );
  }
}

function textOf(file: string, encoding: "latin1"): string {
  try {
    return existsSync(file) ? readFileSync(file, encoding) : "";
  } catch {
    return "";
  }
}
