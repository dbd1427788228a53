import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where the kernel's control groups are mounted. */
export const CGROUPS = "/sys/fs/cgroup";

/** The group in which those of all instances lie, and that of all tasks: instances come first when processors are short. */
export type GroupKind = "sluice" | "sluice-tasks";

/**
 * The control group of an instance's or a task's processes, below the mount of version 2 or of one controller of version 1. The
 * kernel's groups are the machine's: `owner` (the state folder) keeps those of two state folders apart.
 */
export function controlGroup(mount: string, kind: GroupKind, owner: string, id: string): string {
  return join(mount, kind, `${id}.${ownerMark(owner)}`);
}

/** By which the groups of one state folder are known. */
export function ownerMark(owner: string): string {
  return createHash("sha256").update(owner).digest("hex").slice(0, 8);
}
