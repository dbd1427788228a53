import { constants } from "node:fs";
import { access, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { quote } from "../../../core/quote.js";

/** Holds an instance's processes to so much memory together. */
export interface MemoryLimiter {
  /** Prepares a limit and returns the shell lines by which a process puts itself under it. */
  prepare(id: string, megabytes: number): Promise<string[]>;
  remove(id: string): Promise<void>;
}

const CGROUPS = "/sys/fs/cgroup";

/** cgroup v2, else v1, where this user may write them; else a limit on each process's data segment (RLIMIT_DATA). */
export async function memoryLimiter(): Promise<MemoryLimiter> {
  if (await hasMemoryController()) return cgroupLimiter(join(CGROUPS, "sluice"), "memory.max");
  if (await isWritable(join(CGROUPS, "memory"))) {
    return cgroupLimiter(join(CGROUPS, "memory/sluice"), "memory.limit_in_bytes");
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

function cgroupLimiter(parent: string, limitFile: string): MemoryLimiter {
  return {
    prepare: async (id, megabytes) => {
      const group = join(parent, id);
      await mkdir(group, { recursive: true });
      await writeFile(join(group, limitFile), String(megabytes * 1024 * 1024));
      return [`echo $$ >${quote(join(group, "cgroup.procs"))} || exit 1`];
    },
    remove: async (id) => {
      await rmdir(join(parent, id)).catch((error: unknown) => {
        if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      });
    },
  };
}

const dataLimiter: MemoryLimiter = {
  prepare: async (_id, megabytes) => [`ulimit -d ${megabytes * 1024}`],
  remove: async () => undefined,
};

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
