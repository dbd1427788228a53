import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Home } from "../../../../core/home.js";
import { CGROUPS, controlGroup } from "../../../../core/instances/control-group.js";
import { parseInstanceId } from "../../../../core/instances/instance-id.js";
import { parseStatus } from "../../../../core/exec/runsv.js";
import { parseAuxv, type KernelUnits } from "../../../../core/kernel/auxv.js";
import { parseCpuStat, parseGroupMemory, parseProcs } from "../../../../core/kernel/cgroup.js";
import { count } from "../../../../core/kernel/fields.js";
import { KernelFiles } from "../../../../core/kernel/kernel-files.js";
import { parseProcessStat } from "../../../../core/kernel/process-stat.js";
import { ProcessGroups } from "./process-groups.js";

/** As the monitor wants it (`InstanceUsage`), which this room does not know. */
interface InstanceReading {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly restarts: number;
}

export interface UsagePlaces {
  readonly proc: string;
  /** Where control groups are mounted. */
  readonly cgroups: string;
  /** The kernel's units where they are not this kernel's own. */
  readonly units?: KernelUnits;
}

const THIS_HOST: UsagePlaces = { proc: "/proc", cgroups: CGROUPS };

/** So many instances are read in one go: a few milliseconds at most, after which others have their turn. */
const BATCH = 100;
/** An instance that did nothing since the last look is read in full once in so many looks all the same. */
const LOOKS_TRUSTED = 10;

/**
 * How much the instances of this host's state folder have used: from their control groups, or where there are none from the
 * processes of their process groups. Most do nothing most of the time, and that costs little to find out: how
 * many of the files in their memory are idle, and how often they have ended, is then as it was a few looks ago.
 */
export class RunitUsage {
  private readonly processes: ProcessGroups;
  private readonly isUnified: boolean;
  private readonly known = new Map<string, Instance>();
  private looks = 0;
  private readonly files = new KernelFiles();
  private readonly units: KernelUnits;

  constructor(
    private readonly home: Home,
    private readonly places: UsagePlaces = THIS_HOST,
  ) {
    this.units = places.units ?? parseAuxv(readFileSync("/proc/self/auxv"));
    this.processes = new ProcessGroups(this.files, places.proc);
    this.isUnified = existsSync(join(places.cgroups, "cgroup.controllers"));
  }

  /** One pass over the instances: what is looked at once a second by everybody must not grow faster than they do. */
  async read(): Promise<Map<string, InstanceReading>> {
    const ids = this.ids();
    const present = new Set(ids);
    for (const id of this.known.keys()) if (!present.has(id)) this.known.delete(id);
    this.looks += 1;
    let members: Map<number, number[]> | undefined;
    const groups = (): Map<number, number[]> => (members ??= this.processes.look());
    const readings = new Map<string, InstanceReading>();
    for (const [index, id] of ids.entries()) {
      if (index > 0 && index % BATCH === 0) await setImmediate();
      const instance = this.instance(id);
      // Some at each look.
      const isDue = (index + this.looks) % LOOKS_TRUSTED === 0;
      instance.last = this.ofControlGroup(instance, isDue) ?? this.ofProcesses(instance, groups, isDue);
      if (instance.last !== undefined) readings.set(id, instance.last.reading);
    }
    this.files.closeUnread();
    return readings;
  }

  close(): void {
    this.files.close();
  }

  /** Sluice's own services (redis, haproxy) are no instances. */
  private ids(): string[] {
    const folder = this.home.services();
    if (!existsSync(folder)) return [];
    return readdirSync(folder).filter((name) => this.known.has(name) || parseInstanceId(name) !== undefined);
  }

  private ofControlGroup({ files, last }: Instance, isDue: boolean): Look | undefined {
    const usage = this.files.read(files.memoryUsage);
    if (usage === undefined) return undefined;
    if (!isDue && last !== undefined && last.activity === this.activity(usage, last.counters)) return last;
    const counters = this.isUnified
      ? [files.cpuStat]
      : this.statsOf(parseProcs(this.textOf(files.processes)));
    const texts = counters.map((path) => this.textOf(path));
    const memoryBytes = parseGroupMemory(usage, this.textOf(files.memoryStat));
    const cpuSeconds = this.isUnified ? cpuSecondsIn(texts[0]) : this.ofProcessTexts(texts).cpuSeconds;
    if (memoryBytes === undefined || cpuSeconds === undefined) return undefined;
    const reading = { cpuSeconds, memoryBytes, restarts: restartsIn(files.end) };
    return { reading, counters, activity: usage + texts.join("") };
  }

  /** A process that is new shows in the memory of its group. */
  private activity(usage: string, counters: readonly string[]): string | undefined {
    return counters.length === 0 ? undefined : usage + counters.map((path) => this.textOf(path)).join("");
  }

  private ofProcesses(
    { files, last }: Instance,
    groups: () => ReadonlyMap<number, readonly number[]>,
    isDue: boolean,
  ): Look | undefined {
    const isSame = !isDue && last?.leader !== undefined && groups().has(last.leader);
    const leader = isSame ? last.leader : leaderIn(files.status);
    const pids = leader === undefined ? undefined : groups().get(leader);
    if (leader === undefined || pids === undefined) return undefined;
    const restarts = isSame ? last.reading.restarts : restartsIn(files.end);
    const texts = this.statsOf(pids).map((path) => this.textOf(path));
    return { leader, reading: { ...this.ofProcessTexts(texts), restarts }, counters: [], activity: "" };
  }

  private ofProcessTexts(texts: readonly string[]): Omit<InstanceReading, "restarts"> {
    let [ticks, pages] = [0, 0];
    for (const text of texts) {
      const stat = parseProcessStat(text);
      ticks += stat?.ticks ?? 0;
      pages += stat?.residentPages ?? 0;
    }
    return { cpuSeconds: ticks / this.units.ticksPerSecond, memoryBytes: pages * this.units.pageBytes };
  }

  private statsOf(pids: readonly number[]): string[] {
    return pids.map((pid) => `${this.places.proc}/${pid}/stat`);
  }

  private textOf(path: string): string {
    return this.files.read(path) ?? "";
  }

  private instance(id: string): Instance {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const { home } = this;
    const { cgroups } = this.places;
    const group = controlGroup(this.isUnified ? cgroups : join(cgroups, "memory"), "sluice", home.root, id);
    const files = {
      memoryUsage: join(group, this.isUnified ? "memory.current" : "memory.usage_in_bytes"),
      memoryStat: join(group, "memory.stat"),
      cpuStat: join(group, "cpu.stat"),
      processes: join(group, "cgroup.procs"),
      status: join(home.service(id), "supervise/status"),
      end: join(home.service(id), "end"),
    };
    const instance = { files, last: undefined };
    this.known.set(id, instance);
    return instance;
  }
}

interface Instance {
  readonly files: InstanceFiles;
  last: Look | undefined;
}

interface Look {
  readonly reading: InstanceReading;
  /** Files that count what its processes do. None: whether they do anything is not known. */
  readonly counters: readonly string[];
  /** The memory used, and what the counters said, word by word: while it is the same, nothing was done. */
  readonly activity: string;
  /** Of its process group, where there is no control group. */
  readonly leader?: number;
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

function cpuSecondsIn(cpuStat = ""): number | undefined {
  const cpu = parseCpuStat(cpuStat);
  return cpu && cpu.userSeconds + cpu.systemSeconds;
}

/** `runsv` writes the state into a new file each time: it cannot be kept open. */
function leaderIn(status: string): number | undefined {
  return parseStatus(Buffer.from(textOf(status), "latin1")).pid;
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
