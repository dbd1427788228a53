import { readdir, readFile } from "node:fs/promises";
import { sum } from "../statistics.js";

/** Linux counts processor time in hundredths of a second towards programs, whatever its own clock (proc(5)). */
const MS_PER_TICK = 10;
const NANOSECONDS_PER_MS = 1e6;
const KILOBYTES_PER_MEGABYTE = 1024;

/** A process and all below it that live now. */
export async function processTree(pid: number): Promise<number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map(await Promise.all(all.map(async (each) => [each, await parentOf(each)] as const)));
  const tree = [pid];
  for (const member of tree) {
    for (const [child, parent] of parents) if (parent === member) tree.push(child);
  }
  return tree;
}

export async function parentOf(pid: number): Promise<number> {
  return Number((await statFields(pid))[1] ?? 0);
}

/** Processor time these have used so far, with their threads and their children that have ended. Throws when one is gone. */
export async function processorMs(pids: readonly number[]): Promise<number> {
  const used = await Promise.all(pids.map(processorTicks));
  return sum(used) * MS_PER_TICK;
}

/** The same to the microsecond, without threads and children that have ended: for processes that do next to nothing. */
export async function fineProcessorMs(pids: readonly number[]): Promise<number> {
  const used = await Promise.all(
    pids.map(async (pid) => {
      const threads = await readdir(`/proc/${pid}/task`);
      return sum(await Promise.all(threads.map(async (thread) => runMs(pid, thread))));
    }),
  );
  return sum(used);
}

export interface Memory {
  readonly residentMegabytes: number;
  /** Shared pages divided among those who share them; undefined where the kernel does not tell. */
  readonly proportionalMegabytes: number | undefined;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const [status, rollup] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => ""),
  ]);
  return {
    residentMegabytes: megabytes(status, "VmRSS") ?? 0,
    proportionalMegabytes: megabytes(rollup, "Pss"),
  };
}

/** The program's name, at most 15 characters. */
export async function programOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
}

/** proc(5): utime, stime, cutime and cstime are fields 14 to 17. */
async function processorTicks(pid: number): Promise<number> {
  const fields = await statFields(pid);
  if (fields.length === 0) throw new Error(`process ${pid} is gone`);
  return sum(fields.slice(11, 15).map(Number));
}

/** Documentation/scheduler/sched-stats.rst: nanoseconds on a processor come first. */
async function runMs(pid: number, thread: string): Promise<number> {
  const schedstat = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
  return Number(schedstat.split(" ")[0]) / NANOSECONDS_PER_MS;
}

function megabytes(text: string, key: string): number | undefined {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
  return found === undefined ? undefined : Number(found) / KILOBYTES_PER_MEGABYTE;
}

/** proc(5), /proc/PID/stat from field 3 (state) on; empty when there is no such process. */
async function statFields(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
