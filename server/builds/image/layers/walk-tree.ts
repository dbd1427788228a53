import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync } from "node:fs";
import type { Dirent, Stats } from "node:fs";
import { join } from "node:path";
import { setImmediate as letOthersRun } from "node:timers/promises";
import { AppError } from "../../../../core/errors/app-error.js";

/** PATH_MAX with its final zero byte: no program can open a longer path. */
const LONGEST_PATH_BYTES = 4095;
/** How layers say that a file of a lower layer is gone (OCI image specification, "Whiteouts"). */
const WHITEOUT = ".wh.";
/** What opening gives where something else has been put meanwhile. */
const REPLACED = new Set(["ELOOP", "ENOTDIR", "ENOENT", "ENXIO"]);
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const OPEN_FOLDER = OPEN | constants.O_DIRECTORY;
/** Then others get a turn. One call takes microseconds; by way of promises it took a dozen times as much of this thread. */
const TURN_MS = 4;

/** One thing in a folder. `path` is relative to that folder. */
export type TreeEntry =
  | { readonly kind: "folder"; readonly path: string; readonly stats: Stats }
  | { readonly kind: "link"; readonly path: string; readonly stats: Stats; readonly target: string }
  /** `fd` is open until the next entry is asked for. */
  | { readonly kind: "file"; readonly path: string; readonly stats: Stats; readonly fd: number };

/**
 * All that is in a folder, each folder before its content, sorted by the bytes of the names; without devices, sockets and
 * FIFOs, and without what lies at the top under one of the names `except`. No link is followed, also none that is put in
 * place meanwhile: each folder is opened from the one above it (openat(2), by way of /proc/self/fd), so that root can read
 * what untrusted code has written. Throws `layer-name-invalid`, `layer-path-too-long`, `layer-tree-changed`.
 */
export async function* walkTree(
  folder: string,
  except: ReadonlySet<string> = new Set(),
): AsyncGenerator<TreeEntry> {
  let turnEndsAt = performance.now() + TURN_MS;
  for (const entry of entriesIn(openSync(folder, OPEN_FOLDER), "", except)) {
    yield entry;
    if (performance.now() < turnEndsAt) continue;
    await letOthersRun();
    turnEndsAt = performance.now() + TURN_MS;
  }
}

/** Closes the folder. */
function* entriesIn(
  folder: number,
  path: string,
  except: ReadonlySet<string> = new Set(),
): Generator<TreeEntry> {
  try {
    if (path !== "") yield { kind: "folder", path, stats: fstatSync(folder) };
    const here = `/proc/self/fd/${folder}`;
    // Names are bytes; the types know them as text alone.
    const entries = readdirSync(here, {
      withFileTypes: true,
      encoding: "buffer",
    }) as unknown as Dirent<Buffer>[];
    entries.sort((a, b) => Buffer.compare(a.name, b.name));
    for (const entry of entries) {
      const name = checkedName(entry.name, path);
      if (path === "" && except.has(name)) continue;
      const entryPath = join(path, name);
      if (Buffer.byteLength(entryPath) > LONGEST_PATH_BYTES)
        throw new AppError("layer-path-too-long", { path: entryPath, most: LONGEST_PATH_BYTES });
      yield* entriesAt(`${here}/${name}`, entryPath, entry);
    }
  } finally {
    closeSync(folder);
  }
}

function* entriesAt(opened: string, path: string, entry: Dirent<Buffer>): Generator<TreeEntry> {
  if (entry.isSymbolicLink()) {
    const [target, stats] = unlessReplaced(path, () => [readlinkSync(opened), lstatSync(opened)] as const);
    yield { kind: "link", path, target, stats };
  } else if (entry.isDirectory()) {
    const folder = unlessReplaced(path, () => openSync(opened, OPEN_FOLDER));
    yield* entriesIn(folder, path);
  } else if (entry.isFile()) {
    const fd = unlessReplaced(path, () => openSync(opened, OPEN));
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw new AppError("layer-tree-changed", { path });
      yield { kind: "file", path, stats, fd };
    } finally {
      closeSync(fd);
    }
  }
}

function checkedName(bytes: Buffer, folder: string): string {
  const name = bytes.toString("utf8");
  const refuse = (problem: string): AppError =>
    new AppError("layer-name-invalid", { path: join(folder, name), problem });
  if (!Buffer.from(name).equals(bytes)) throw refuse("is not UTF-8");
  if (name.startsWith(WHITEOUT)) throw refuse(`begins with ${WHITEOUT}, which marks a removed file there`);
  return name;
}

function unlessReplaced<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "code" in error && REPLACED.has(String(error.code)))
      throw new AppError("layer-tree-changed", { path }, { cause: error });
    throw error;
  }
}
