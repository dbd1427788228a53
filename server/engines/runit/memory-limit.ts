import { constants } from "node:fs";
import { access, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.js";
import { CGROUPS, instanceGroup } from "../../../core/instances/instance-group.js";
import { quote } from "../../../core/exec/quote.js";

/** Holds an instance's processes to so much memory together. */
export interface MemoryLimiter {
  /** Prepares a limit and returns the shell lines by which a process puts itself under it. */
  prepare(id: string, megabytes: number): Promise<string[]>;
  /** The processes under it; undefined where the kernel does not keep them together. */
  processes(id: string): Promise<number[] | undefined>;
  /** Removes the limit of a stopped instance, and ends those of its processes that had left the process group. */
  remove(id: string): Promise<void>;
}

const POLL_MS = 10;
const REMOVE_TIMEOUT_MS = 5000;

/**
 * cgroup v2, else v1, where this user may write them; else a limit on each process's data segment (RLIMIT_DATA).
 */
export async function memoryLimiter(owner: string): Promise<MemoryLimiter> {
  const group = (mount: string) => (id: string) => instanceGroup(mount, owner, id);
  if (await hasMemoryController()) return cgroupLimiter(group(CGROUPS), "memory.max");
  if (await isWritable(join(CGROUPS, "memory"))) {
    return cgroupLimiter(group(join(CGROUPS, "memory")), "memory.limit_in_bytes");
  }
  return dataLimiter;
}

async function hasMemoryController(): Promise<boolean> {
  const controllers = await readFile(join(CGROUPS, "cgroup.controllers"), "utf8").catch(() => "");
  if (!controllers.split(/\s/).includes("memory") || !(await isWritable(CGROUPS))) return false;
  for (const folder of [CGROUPS, join(CGROUPS, "sluice")]) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "cgroup.subtree_control"), "+memory");
  }
  return true;
}

function cgroupLimiter(groupOf: (id: string) => string, limitFile: string): MemoryLimiter {
  return {
    prepare: async (id, megabytes) => {
      const group = groupOf(id);
      await mkdir(group, { recursive: true });
      await writeFile(join(group, limitFile), String(megabytes * 1024 * 1024));
      return [`echo $$ >${quote(join(group, "cgroup.procs"))} || exit 1`];
    },
    processes: async (id) => membersOf(groupOf(id)),
    remove: async (id) => removeGroup(groupOf(id)),
  };
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

const dataLimiter: MemoryLimiter = {
  prepare: async (_id, megabytes) => [`ulimit -d ${megabytes * 1024}`],
  processes: async () => undefined,
  remove: async () => undefined,
};

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
