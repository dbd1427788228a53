import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readlink, realpath, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import { AppError } from "../../core/errors/app-error.js";
import type { User } from "../../core/exec/exec.js";

/** Of package.json, app.json, Procfile and the like, which are read whole. */
export const LONGEST_MANIFEST_BYTES = 1024 * 1024;
/** Of a lockfile, which is read piece by piece. */
export const LONGEST_LOCKFILE_BYTES = 20 * 1024 * 1024;

const ABSENT = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"]);

/** The text of a file at the top of an app's tree, or undefined. Throws `tree-link-outside`, `tree-file-too-large`. */
export async function readTreeFile(tree: string, name: string): Promise<string | undefined> {
  return withTreeFile(tree, name, async (file) => {
    const chunks: Buffer[] = [];
    for await (const chunk of bytesOf(file, name, LONGEST_MANIFEST_BYTES)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  });
}

/** SHA-256 of such a file, in hexadecimal digits, or undefined. Throws as `readTreeFile`. */
export async function treeFileDigest(tree: string, name: string, most: number): Promise<string | undefined> {
  return withTreeFile(tree, name, async (file) => {
    const hash = createHash("sha256");
    for await (const chunk of bytesOf(file, name, most)) hash.update(chunk);
    return hash.digest("hex");
  });
}

/** Copies such a file, if it is there, to `destination`, where nothing may be yet. Throws as `readTreeFile`. */
export async function copyTreeFile(
  tree: string,
  name: string,
  destination: string,
  { most, user }: { readonly most: number; readonly user: User | undefined },
): Promise<void> {
  await withTreeFile(tree, name, async (file) => {
    const copy = await open(destination, "wx");
    try {
      for await (const chunk of bytesOf(file, name, most)) await copy.writeFile(chunk);
      if (user !== undefined) await copy.chown(user.uid, user.gid);
    } finally {
      await copy.close();
    }
  });
}

/**
 * Reads a file at the top of an app's tree, if it is there. The app's own builds write in that tree, and could put a link
 * there to what only the server may read: what was opened must lie in the tree (proc(5), /proc/self/fd).
 */
async function withTreeFile<T>(
  tree: string,
  name: string,
  read: (file: FileHandle) => Promise<T>,
): Promise<T | undefined> {
  try {
    // A FIFO must not hold the server up either.
    const file = await open(join(tree, name), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const target = await readlink(`/proc/self/fd/${file.fd}`);
      if (!target.startsWith(`${await realpath(tree)}${sep}`)) {
        throw new AppError("tree-link-outside", { path: name, target });
      }
      return await read(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(String(error.code))) return undefined;
    throw error;
  }
}

/** The file may grow while it is read: what counts is what was read. */
async function* bytesOf(file: FileHandle, name: string, most: number): AsyncGenerator<Buffer> {
  let read = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536));
    if (bytesRead === 0) return;
    read += bytesRead;
    if (read > most) throw new AppError("tree-file-too-large", { path: name, most });
    yield buffer.subarray(0, bytesRead);
  }
}
