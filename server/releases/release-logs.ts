import { open } from "node:fs/promises";
import type { LogEntry } from "../../core/api/apps/logs.js";
import { LineSplitter } from "../../core/exec/line-splitter.js";
import { releaseName } from "../../core/names.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { ReleasesNeeds } from "./needs.js";
import { instancesOf } from "./instances-of.js";

export interface LogRequest {
  /** Undefined: whatever runs now. */
  readonly number: number | undefined;
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Resolves when the next may come: what a reader has not taken must not pile up. */
export type WriteEntry = (entry: LogEntry) => Promise<void>;

/** The log of an app's instances, in the order of time; of one release with what its making said in front. */
export async function releaseLogs(
  tools: ReleasesNeeds,
  app: string,
  request: LogRequest,
  write: WriteEntry,
): Promise<void> {
  const records = await wanted(tools, app, request.number);
  if (request.number !== undefined) await writeOutput(tools, app, request.number, write);
  const sources = records.flatMap((record) => instancesOf(record));
  const past = await Promise.all(sources.map(async ({ id, from }) => collect(tools, id, from, request)));
  const merged = past.flat().sort((a, b) => a.at.localeCompare(b.at));
  for (const entry of merged.slice(Math.max(0, merged.length - request.lines))) await write(entry);
  if (request.follow)
    await Promise.all(sources.map(async ({ id, from }) => follow(tools, id, from, request, write)));
}

async function wanted(
  { releases, routes }: ReleasesNeeds,
  app: string,
  number: number | undefined,
): Promise<ReleaseRecord[]> {
  const [records, table] = await Promise.all([releases.list(app), routes.read(app)]);
  if (number !== undefined) return records.filter((record) => record.number === number);
  const running = new Set(table.releases.map((release) => release.number));
  return records.filter((record) => running.has(record.number));
}

async function writeOutput(
  { home }: ReleasesNeeds,
  app: string,
  number: number,
  write: WriteEntry,
): Promise<void> {
  const splitter = new LineSplitter();
  const give = async (lines: readonly string[]): Promise<void> => {
    for (const text of lines.filter((line) => line !== ""))
      await write({ at: "", from: `${releaseName(number)} release`, text });
  };
  const file = await open(home.releaseOutput(app, number), "r").catch(() => undefined);
  if (file === undefined) return;
  for await (const chunk of file.createReadStream()) {
    // A file's stream without an encoding is of buffers.
    await give(splitter.push(chunk as Buffer));
  }
  await give(splitter.end());
}

async function collect(
  tools: ReleasesNeeds,
  id: string,
  from: string,
  { lines, signal }: LogRequest,
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  let last = "";
  for await (const { at, text } of tools.logs.read(id, { lines, follow: false, signal })) {
    // The rest of a long line has no time of its own.
    if (at !== "") last = at;
    entries.push({ at: last, from, text });
  }
  return entries;
}

async function follow(
  tools: ReleasesNeeds,
  id: string,
  from: string,
  { signal }: LogRequest,
  write: WriteEntry,
): Promise<void> {
  for await (const { at, text } of tools.logs.read(id, { lines: 0, follow: true, signal }))
    await write({ at, from, text });
}
