import { chmod, chown, mkdir } from "node:fs/promises";
import type { User } from "../../core/exec/exec.js";

/** Makes a folder that only `user` can look into. */
export async function ownFolder(folder: string, user: User | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  await chmod(folder, 0o700);
}
