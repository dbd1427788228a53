import { createHash, type Hash } from "node:crypto";
import { readSync } from "node:fs";
import { AppError } from "../../../../core/errors/app-error.js";
import { walkTree, type TreeEntry } from "./walk-tree.js";

const PIECE_BYTES = 256 * 1024;

/**
 * A digest of all that a layer of a folder would have, without the times. Whoever can write in the folder can set times and
 * sizes as they like, so that only content tells whether two are the same. Throws as `walkTree`.
 */
export async function treeDigest(folder: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for await (const entry of walkTree(folder)) {
    signal.throwIfAborted();
    const { kind, path, stats } = entry;
    const target = kind === "link" ? entry.target : "";
    const mode = kind === "link" ? 0 : stats.mode & 0o777;
    hash.update(`${JSON.stringify([kind, path, mode, target, kind === "file" ? stats.size : 0])}\n`);
    if (kind === "file") addContent(hash, entry, piece);
  }
  return hash.digest("hex");
}

function addContent(
  hash: Hash,
  { fd, path, stats: { size } }: Extract<TreeEntry, { kind: "file" }>,
  piece: Buffer,
): void {
  for (let at = 0; at < size;) {
    const bytesRead = readSync(fd, piece, 0, Math.min(PIECE_BYTES, size - at), at);
    if (bytesRead === 0) throw new AppError("layer-tree-changed", { path });
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}
