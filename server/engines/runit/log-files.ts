import { watch } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LogLine, LogOptions } from "../engine.js";

const POLL_MS = 1000;

/** Reads a folder that `svlogd -tt` writes: rotated files `@….s|u`, then `current`. */
export async function* readLog(
  folder: string,
  { lines, follow, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const { text, position } = await tail(folder, lines);
  yield* text.map(parseLine);
  if (follow) yield* followCurrent(folder, position, signal);
}

/** `2026-11-21_06:20:11.12345 text` → its time and text. */
export function parseLine(line: string): LogLine {
  const match = /^(\d{4}-\d\d-\d\d)_(\d\d:\d\d:\d\d\.\d+) (.*)$/s.exec(line);
  if (match === null) return { at: "", text: line };
  return { at: `${match[1] ?? ""}T${(match[2] ?? "").slice(0, 12)}Z`, text: match[3] ?? "" };
}

async function tail(folder: string, lines: number): Promise<{ text: string[]; position: number }> {
  const rotated = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith("@")).sort();
  const current = await readFrom(join(folder, "current"), 0);
  const text = current.lines;
  for (const name of rotated.reverse()) {
    if (text.length >= lines) break;
    text.unshift(...(await readFrom(join(folder, name), 0)).lines);
  }
  return { text: lines === 0 ? [] : text.slice(-lines), position: current.position };
}

/** Whole lines from `position` on; a file that became shorter was rotated and is read from its start. */
async function readFrom(path: string, position: number): Promise<{ lines: string[]; position: number }> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return { lines: [], position: 0 };
  try {
    const { size } = await file.stat();
    const start = size < position ? 0 : position;
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    const text = buffer.toString("utf8", 0, end);
    return { lines: text === "" ? [] : text.slice(0, -1).split("\n"), position: start + end };
  } finally {
    await file.close();
  }
}

async function* followCurrent(folder: string, from: number, signal: AbortSignal): AsyncGenerator<LogLine> {
  const path = join(folder, "current");
  let position = from;
  while (!signal.aborted) {
    const next = await readFrom(path, position);
    position = next.position;
    yield* next.lines.map(parseLine);
    if (next.lines.length === 0) await changed(folder, path, position, signal);
  }
}

/** Resolves when the log may have grown, or after a second. */
async function changed(folder: string, path: string, position: number, signal: AbortSignal): Promise<void> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size !== position) return;
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
