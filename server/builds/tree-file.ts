import { constants } from "node:fs";
import { open, readlink, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { AppError } from "../../core/errors/app-error.js";

const ABSENT = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"]);

/**
 * The text of a file at the top of an app's tree, or undefined. The app's own builds write in that tree, and could put a
 * link there to what only the server may read: what was opened must lie in the tree (proc(5), /proc/self/fd). Throws
 * `tree-link-outside`.
 */
export async function readTreeFile(tree: string, name: string): Promise<string | undefined> {
  try {
    // A FIFO must not hold the server up either.
    const file = await open(join(tree, name), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const target = await readlink(`/proc/self/fd/${file.fd}`);
      if (!target.startsWith(`${await realpath(tree)}${sep}`)) {
        throw new AppError("tree-link-outside", { path: name, target });
      }
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.has(String(error.code))) return undefined;
    throw error;
  }
}
