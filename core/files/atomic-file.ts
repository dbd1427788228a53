import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import type { User } from "../exec/exec.js";

/** Writes a file so that a reader, or a crash, sees the old content or the new one: temporary name, sync, rename. */
export async function writeFileAtomically(
  path: string,
  content: string | Buffer,
  mode = 0o644,
  owner?: User,
): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
