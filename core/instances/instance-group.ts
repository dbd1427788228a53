import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where the kernel's control groups are mounted. */
export const CGROUPS = "/sys/fs/cgroup";

/**
 * The control group of an instance's processes, below the mount of version 2 or of version 1's memory controller. The
 * kernel's groups are the machine's: `owner` (the state folder) keeps those of two state folders apart.
 */
export function instanceGroup(mount: string, owner: string, id: string): string {
  const mark = createHash("sha256").update(owner).digest("hex").slice(0, 8);
  return join(mount, "sluice", `${id}.${mark}`);
}
