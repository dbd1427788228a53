import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../../core/clock.js";
import { quote } from "../../../../core/exec/quote.js";
import type { Mount } from "../../../../core/exec/sandbox/sandbox-policy.js";
import { controlGroup, ownerMark, type GroupKind } from "../../../../core/instances/control-group.js";
import { hierarchiesFor, type Limits, type Values } from "./hierarchies.js";

export type Excess = "memory" | "processes";

/** Holds the processes of an instance or a task together, and to so much memory and so many processes in all. */
export interface Limiter {
  /** Prepares the limits and returns the shell lines by which a process puts itself under them. */
  prepare(id: string, limits: Limits): Promise<string[]>;
  /** What the program itself may see of its limits: V8 and the JVM size their heaps by them. */
  mounts(id: string): readonly Mount[];
  /** The processes under them; undefined where the kernel does not keep them together. */
  processes(id: string): Promise<number[] | undefined>;
  /** What it has asked for and not got. */
  exceeded(id: string): Promise<readonly Excess[]>;
  /** A file with a line `oom_kill N`: how often the kernel has ended one of its processes for want of memory. */
  killsFile(id: string): string | undefined;
  /** Removes the limits of what has ended, and ends what is left of it. */
  remove(id: string): Promise<void>;
  /** The ids that have limits. */
  list(): Promise<string[]>;
}

const POLL_MS = 10;
const REMOVE_TIMEOUT_MS = 5000;

/**
 * Control groups of version 2, else of version 1, where this user may write them; else a limit on each process's data segment
 * (RLIMIT_DATA), and none on their number. `owner` is the state folder.
 */
export async function openLimiter(owner: string, kind: GroupKind): Promise<Limiter> {
  const hierarchies = await hierarchiesFor(kind);
  if (hierarchies.length === 0) return dataLimiter;
  for (const { mount, ofKind } of hierarchies) {
    await mkdir(join(mount, kind), { recursive: true });
    await write(join(mount, kind), ofKind);
  }
  const groupsOf = (id: string): string[] =>
    hierarchies.map(({ mount }) => controlGroup(mount, kind, owner, id));
  return {
    prepare: async (id, limits) => {
      for (const hierarchy of hierarchies) {
        const group = controlGroup(hierarchy.mount, kind, owner, id);
        await mkdir(group, { recursive: true });
        await write(group, hierarchy.limits(limits));
      }
      return groupsOf(id).map((group) => `echo $$ >${quote(join(group, "cgroup.procs"))} || exit 1`);
    },
    mounts: (id) =>
      hierarchies.map(({ mount }) => ({
        from: controlGroup(mount, kind, owner, id),
        to: mount,
        access: "read",
      })),
    processes: async (id) => membersOf(groupsOf(id)[0] ?? ""),
    exceeded: async (id) => {
      const read = async (name: string): Promise<string> =>
        (
          await Promise.all(groupsOf(id).map((group) => readFile(join(group, name), "utf8").catch(() => "")))
        ).join("");
      const kills = await read(hierarchies[0]?.kills ?? "");
      const refusals = await read("pids.events");
      return [
        ...(/^oom_kill [1-9]/m.test(kills) ? ["memory" as const] : []),
        ...(/^max [1-9]/m.test(refusals) ? ["processes" as const] : []),
      ];
    },
    killsFile: (id) => hierarchies[0] && join(groupsOf(id)[0] ?? "", hierarchies[0].kills),
    remove: async (id) => {
      for (const group of groupsOf(id)) await removeGroup(group);
    },
    list: async () => {
      const [{ mount } = { mount: "" }] = hierarchies;
      const mark = `.${ownerMark(owner)}`;
      const names = await readdir(join(mount, kind)).catch(() => []);
      return names.flatMap((name) => (name.endsWith(mark) ? [name.slice(0, -mark.length)] : []));
    },
  };
}

/** A kernel without swap accounting has no file for it. */
async function write(group: string, values: Values): Promise<void> {
  for (const [file, value] of Object.entries(values)) {
    const isOptional = file === "memory.swap.max" || file === "cpu.weight";
    await writeFile(join(group, file), value).catch((error: unknown) => {
      if (!isOptional) throw error;
    });
  }
}

async function removeGroup(group: string): Promise<void> {
  const deadline = Date.now() + REMOVE_TIMEOUT_MS;
  for (;;) {
    for (const pid of await membersOf(group)) endProcess(pid);
    try {
      await rmdir(group);
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT") return;
      if (code !== "EBUSY" || Date.now() > deadline) throw error;
    }
    await systemClock.sleep(POLL_MS);
  }
}

/** None when there is no such group. */
async function membersOf(group: string): Promise<number[]> {
  const members = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
  // Processes of another PID namespace show as 0, and a signal to 0 would be for ourselves (kill(2)).
  return members
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

const dataLimiter: Limiter = {
  prepare: async (_id, { memoryMegabytes }) => [`ulimit -d ${memoryMegabytes * 1024}`],
  mounts: () => [],
  processes: async () => undefined,
  exceeded: async () => [],
  killsFile: () => undefined,
  remove: async () => undefined,
  list: async () => [],
};
