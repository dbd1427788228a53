import { watch } from "node:fs";
import { open, readdir, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { LineSplitter } from "../../core/exec/line-splitter.js";
import { parseInstanceId } from "../../core/instances/instance-id.js";
import type { LogLine, LogOptions } from "./instance-logs.js";

const POLL_MS = 1000;
const CHUNK_BYTES = 65_536;

/** How far a log was read: a file keeps its inode when `current` is renamed to `@…`. */
interface Position {
  readonly inode: number;
  /** Of the first line that was not whole yet. */
  readonly offset: number;
  /** Of the file, as it was then. */
  readonly size: number;
  /** What follows is the rest of a line that was longer than a line may be, and was given already. */
  readonly isInCutLine: boolean;
}

const START: Position = { inode: 0, offset: 0, size: 0, isInCutLine: false };

interface Part {
  readonly lines: string[];
  readonly position: Position;
}

/** Reads a folder that `svlogd -tt` writes: rotated files `@….s|u`, then `current`. Long lines are cut. */
export async function* readLog(
  folder: string,
  { lines, follow, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const { lines: text, position } = await tail(folder, lines);
  yield* text.map(parseLine);
  if (follow) yield* followFrom(folder, position, signal);
}

/** Removes what lies in a folder of logs for an instance, a release or an app (`prefix`), but for the instances in `kept`. */
export async function forgetLogs(folder: string, prefix: string, kept: ReadonlySet<string>): Promise<void> {
  for (const id of await readdir(folder).catch(() => [])) {
    if (parseInstanceId(id) === undefined || kept.has(id)) continue;
    if (id === prefix || id.startsWith(`${prefix}.`))
      await rm(join(folder, id), { recursive: true, force: true });
  }
}

/** `2026-11-21_06:20:11.12345 text` → its time and text. */
export function parseLine(line: string): LogLine {
  const match = /^(\d{4}-\d\d-\d\d)_(\d\d:\d\d:\d\d\.\d+) (.*)$/s.exec(line);
  if (match === null) return { at: "", text: line };
  return { at: `${match[1] ?? ""}T${(match[2] ?? "").slice(0, 12)}Z`, text: match[3] ?? "" };
}

async function tail(folder: string, lines: number): Promise<Part> {
  return withFiles(folder, async (current, older) => {
    if (current === undefined) return { lines: [], position: START };
    const newest = await readFrom(current, START, lines);
    const text = newest.lines;
    for (const file of (await older()).reverse()) {
      if (text.length >= lines) break;
      text.unshift(...(await readWhole(file, START, lines - text.length)));
    }
    return { lines: text, position: newest.position };
  });
}

async function* followFrom(folder: string, from: Position, signal: AbortSignal): AsyncGenerator<LogLine> {
  let position = from;
  while (!signal.aborted) {
    const next = await readOn(folder, position);
    position = next.position;
    yield* next.lines.map(parseLine);
    if (next.lines.length === 0) await changed(folder, position, signal);
  }
}

/** The lines after a position: the rest of its file, which may have been renamed since, then the newer files. */
async function readOn(folder: string, from: Position): Promise<Part> {
  return withFiles(folder, async (current, older) => {
    if (current === undefined) return { lines: [], position: from };
    if ((await current.stat()).ino === from.inode) return readFrom(current, from);
    const before = await older();
    const inodes = await Promise.all(before.map(async (file) => (await file.stat()).ino));
    const lines: string[] = [];
    for (const file of before.slice(Math.max(0, inodes.indexOf(from.inode))))
      lines.push(...(await readWhole(file, from)));
    const newest = await readFrom(current, START);
    return { lines: [...lines, ...newest.lines], position: newest.position };
  });
}

/** Opens `current` first: the older files are all that were renamed until then, whatever is renamed meanwhile. */
async function withFiles<T>(
  folder: string,
  read: (current: FileHandle | undefined, older: () => Promise<FileHandle[]>) => Promise<T>,
): Promise<T> {
  const opened: FileHandle[] = [];
  const openFile = async (name: string): Promise<FileHandle[]> => {
    const file = await open(join(folder, name), "r").catch(() => undefined);
    if (file === undefined) return [];
    opened.push(file);
    return [file];
  };
  try {
    const [current] = await openFile("current");
    return await read(current, async () => {
      const rotated = (await readdir(folder)).filter((name) => name.startsWith("@")).sort();
      const files = (await Promise.all(rotated.map(openFile))).flat();
      const inodes = await Promise.all(files.map(async (file) => (await file.stat()).ino));
      const renamed = inodes.indexOf((await current?.stat())?.ino ?? 0);
      return renamed < 0 ? files : files.slice(0, renamed);
    });
  } finally {
    await Promise.all(opened.map(async (file) => file.close()));
  }
}

/** The lines of a file that grows no more, the last `most` of them; svlogd may have rotated it within a line. */
async function readWhole(file: FileHandle, from: Position, most?: number): Promise<string[]> {
  const { lines, rest } = await readFrom(file, from, most);
  return [...lines, ...rest];
}

/**
 * Lines of a file, after the position if that is in it, the last `most` of them; and what has not ended yet. Whatever the
 * file holds, memory takes the lines alone.
 */
async function readFrom(
  file: FileHandle,
  from: Position,
  most = Infinity,
): Promise<Part & { readonly rest: string[] }> {
  const { size, ino } = await file.stat();
  const start = ino === from.inode ? from.offset : 0;
  const splitter = new LineSplitter({
    isCut: ino === from.inode && from.isInCutLine,
    endsAtReturn: false,
  });
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const lines: string[] = [];
  let at = start;
  while (at < size) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
    lines.push(...splitter.push(buffer.subarray(0, bytesRead)));
    if (lines.length > 2 * most) lines.splice(0, lines.length - most);
  }
  const { pending, isInCutLine } = splitter;
  return {
    lines: lines.slice(Math.max(0, lines.length - most)),
    rest: splitter.end(),
    position: { inode: ino, offset: at - pending, size, isInCutLine },
  };
}

/** Resolves when the log has grown since `position`, or after a second. */
async function changed(folder: string, position: Position, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      watcher?.close();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, POLL_MS);
    const watcher = watchFolder(folder, done);
    signal.addEventListener("abort", done, { once: true });
    // What came before the watcher did.
    stat(join(folder, "current")).then(
      ({ ino, size }) => {
        if (ino !== position.inode || size !== position.size) done();
      },
      () => undefined,
    );
  });
}

function watchFolder(folder: string, onChange: () => void): { close(): void } | undefined {
  try {
    return watch(folder, onChange).on("error", onChange);
  } catch {
    // The folder may not be there yet; the timer looks again.
    return undefined;
  }
}
