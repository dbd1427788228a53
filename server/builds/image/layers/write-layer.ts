import { createHash } from "node:crypto";
import { createWriteStream, read, readSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import { pack, type Header as FullHeader, type Pack } from "tar-stream";
import { abortReason } from "../../../../core/clock.js";
import { AppError } from "../../../../core/errors/app-error.js";
import type { User } from "../../../../core/exec/exec.js";
import { walkTree, type TreeEntry } from "./walk-tree.js";

/** A part of an image's file system: a gzipped tar in a file. */
export interface Layer {
  readonly file: string;
  /** `sha256:…` of the file. */
  readonly digest: string;
  /** `sha256:…` of the tar in it. */
  readonly diffId: string;
  /** Of the file. */
  readonly bytes: number;
}

export interface LayerSource {
  readonly folder: string;
  /** Where its content lies in the image, without a leading slash: `app/node_modules`, or nothing for the top. */
  readonly at: string;
  /** Names at the top of the folder that are left out. */
  readonly except?: ReadonlySet<string>;
  /** Whose all of it is, and who alone may change it; `kept` only for what no app has written. */
  readonly owner: User | "kept";
  /** When files were modified, in seconds since 1970: all at once, or each as in the folder. */
  readonly modified: number | "kept";
}

type Header = Partial<FullHeader> & Pick<FullHeader, "name">;

/** Most gain for the least time: a layer is sent once. */
const GZIP_LEVEL = 1;
const PIECE_BYTES = 256 * 1024;
/** Setuid and setgid are dropped; the sticky bit makes a /tmp. */
const FOLDER_MODE = 0o1777;
const FILE_MODE = 0o777;
/** What has a single owner is changed by nobody else. */
const OWNED_MODE = 0o755;

/**
 * Makes a layer in `file`, which must not exist. The same folder always gives the same bytes: sorted, numeric owners, hard
 * links as files of their own, no extended attributes. Uses a few pieces of memory, however large the folder is. Throws as
 * `walkTree`.
 */
export async function writeLayer(source: LayerSource, file: string, signal: AbortSignal): Promise<Layer> {
  try {
    return { file, ...(await writeTo(file, source, signal)) };
  } catch (error) {
    await rm(file, { force: true });
    throw signal.aborted ? abortReason(signal) : error;
  }
}

async function writeTo(path: string, source: LayerSource, signal: AbortSignal): Promise<Omit<Layer, "file">> {
  const [tarHash, fileHash] = [createHash("sha256"), createHash("sha256")];
  let bytes = 0;
  const tar = pack();
  const filled = fill(tar, source).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  const written = pipeline(
    inPieces(tar, (piece) => tarHash.update(piece)),
    createGzip({ level: GZIP_LEVEL, chunkSize: PIECE_BYTES }),
    async function* (zipped: AsyncIterable<Buffer>) {
      for await (const piece of zipped) {
        fileHash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    },
    createWriteStream(path, { flags: "wx", mode: 0o600 }),
    { signal },
  ).catch((error: unknown) => {
    // Else whoever fills it would wait for ever.
    tar.destroy();
    throw error;
  });
  const [filling, writing] = await Promise.allSettled([filled, written]);
  // What writing says of a tree that cannot be read is its echo; and the other way round of a full disk.
  if (filling.status === "rejected" && filling.reason instanceof AppError) throw filling.reason;
  if (writing.status === "rejected") throw writing.reason;
  if (filling.status === "rejected") throw filling.reason;
  return { digest: `sha256:${fileHash.digest("hex")}`, diffId: `sha256:${tarHash.digest("hex")}`, bytes };
}

async function fill(tar: Pack, source: LayerSource): Promise<void> {
  const names = source.at.split("/").filter((name) => name !== "");
  for (const [index] of names.entries()) {
    const parent = { name: names.slice(0, index + 1).join("/"), type: "directory", mode: 0o755 } as const;
    await addWhole(tar, { ...parent, ...ownerOf(source), mtime: timeOf(source) });
  }
  for await (const entry of walkTree(source.folder, source.except)) await add(tar, source, entry);
  tar.finalize();
}

async function add(tar: Pack, source: LayerSource, entry: TreeEntry): Promise<void> {
  const { stats } = entry;
  const common = {
    name: join(source.at, entry.path),
    ...ownerOf(source, stats),
    mtime: timeOf(source, stats.mtimeMs),
  };
  switch (entry.kind) {
    case "folder":
      return addWhole(tar, { ...common, type: "directory", mode: modeOf(source, stats.mode & FOLDER_MODE) });
    case "link":
      return addWhole(tar, { ...common, type: "symlink", mode: 0o777, linkname: entry.target });
    case "file":
      return addFile(
        tar,
        { ...common, type: "file", mode: modeOf(source, stats.mode & FILE_MODE), size: stats.size },
        entry,
      );
  }
}

async function addFile(
  tar: Pack,
  header: Header,
  { fd, path, stats }: Extract<TreeEntry, { kind: "file" }>,
): Promise<void> {
  if (stats.size <= PIECE_BYTES) return addWhole(tar, header, wholeFile(fd, path, stats.size));
  await new Promise<void>((resolve, reject) => {
    const sink = tar.entry(header, (error) => (error == null ? resolve() : reject(error)));
    pipeline(pieces(fd, path, stats.size), sink).catch(reject);
  });
}

async function addWhole(tar: Pack, header: Header, content = Buffer.alloc(0)): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error == null ? resolve() : reject(error));
    tar.entry(header, content, done);
  });
}

/** What got shorter meanwhile would make the tar unreadable. */
function wholeFile(fd: number, path: string, bytes: number): Buffer<ArrayBuffer> {
  const content = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes;) {
    const bytesRead = readSync(fd, content, at, bytes - at, at);
    if (bytesRead === 0) throw new AppError("layer-tree-changed", { path });
    at += bytesRead;
  }
  return content;
}

async function* pieces(fd: number, path: string, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes;) {
    const most = Math.min(PIECE_BYTES, bytes - at);
    const { bytesRead, buffer } = await promisify(read)(fd, Buffer.allocUnsafe(most), 0, most, at);
    if (bytesRead === 0) throw new AppError("layer-tree-changed", { path });
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A tar comes in pieces of 512 bytes; what follows takes larger ones much faster. */
async function* inPieces(
  tar: AsyncIterable<unknown>,
  onPiece: (piece: Buffer) => void,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (): Buffer => {
    const piece = Buffer.concat(parts);
    [parts, bytes] = [[], 0];
    onPiece(piece);
    return piece;
  };
  for await (const part of tar) {
    // A tar has no encoding: it comes in buffers.
    const buffer = part as Buffer;
    parts.push(buffer);
    bytes += buffer.length;
    if (bytes >= PIECE_BYTES) yield take();
  }
  yield take();
}

function ownerOf({ owner }: LayerSource, stats: User = { uid: 0, gid: 0 }): User {
  return owner === "kept" ? { uid: stats.uid, gid: stats.gid } : owner;
}

function modeOf({ owner }: LayerSource, mode: number): number {
  return owner === "kept" ? mode : mode & OWNED_MODE;
}

function timeOf({ modified }: LayerSource, mtimeMs = 0): Date {
  return new Date(modified === "kept" ? Math.floor(mtimeMs / 1000) * 1000 : modified * 1000);
}
