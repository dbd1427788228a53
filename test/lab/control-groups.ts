import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../../core/files/exists.js";
import { eventually } from "../support/eventually.js";

const ROOT = "/sys/fs/cgroup";

/**
 * A command that runs in control groups of its own, one in each hierarchy: what makes groups in them (systemd, Docker, Sluice)
 * has those for the root, and leaves nothing beside them.
 */
export async function inGroups(name: string, argv: readonly string[]): Promise<[string, ...string[]]> {
  const groups = (await hierarchies()).map((hierarchy) => join(hierarchy, name));
  for (const group of groups) await make(group);
  const joined = groups.map((group) => `echo $$ >${group}/cgroup.procs || exit 1`);
  return ["/bin/sh", "-c", [...joined, 'exec "$@"'].join("\n"), "sh", ...argv];
}

/** When all that ran in them has ended. */
export async function removeGroups(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, name);
    if (await exists(group)) await eventually(`${group} is gone`, async () => remove(group));
  }
}

/** Version 2 has one, version 1 some, each with a folder. */
async function hierarchies(): Promise<string[]> {
  if (await exists(join(ROOT, "cgroup.procs"))) return [ROOT];
  const names = await readdir(ROOT);
  const found = await Promise.all(names.map(async (name) => exists(join(ROOT, name, "cgroup.procs"))));
  return names.filter((_, index) => found[index]).map((name) => join(ROOT, name));
}

async function make(group: string): Promise<void> {
  await mkdir(group, { recursive: true });
  // An empty one of these takes no process (cpuset(7)).
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const outer = await readFile(join(group, "..", file), "utf8").catch(() => undefined);
    if (outer !== undefined && outer.trim() !== "") await writeFile(join(group, file), outer);
  }
}

async function remove(group: string): Promise<boolean> {
  for (const entry of await readdir(group, { withFileTypes: true }))
    if (entry.isDirectory() && !(await remove(join(group, entry.name)))) return false;
  return rmdir(group).then(
    () => true,
    () => false,
  );
}
