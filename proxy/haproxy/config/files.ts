import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { bucketMapText } from "../counting/bucket-map.js";
import { configurationText } from "./configuration.js";
import type { HaproxyOptions } from "./haproxy-options.js";
import { paths } from "./paths.js";
import { MAPS } from "./state.js";
import { SCRIPT } from "./text/script.js";
import { slotName, slotText } from "./text/slot-text.js";

/** How many slots there are at first. When they run out, a reload adds more. */
const FIRST_SLOTS = 32;

/** Writes what HAProxy needs to start: the fixed part always, slots and maps only if there are none yet. */
export async function prepareFiles(options: HaproxyOptions): Promise<{ changed: boolean }> {
  const { folder } = options;
  await mkdir(paths.slots(folder), { recursive: true });
  const text = configurationText(options);
  const changed = (await readFile(paths.configuration(folder), "utf8").catch(() => "")) !== text;
  await writeFileAtomically(paths.buckets(folder), bucketMapText());
  await writeFileAtomically(paths.script(folder), SCRIPT);
  await writeFileAtomically(paths.configuration(folder), text);
  const present = new Set(await readdir(folder));
  for (const map of MAPS) {
    if (!present.has(`${map}.map`)) await writeFileAtomically(paths.map(folder, map), "");
  }
  if ((await slotsIn(folder)).length === 0) await writeEmptySlots(folder, 1, FIRST_SLOTS);
  return { changed };
}

/** Names, in order. */
export async function slotsIn(folder: string): Promise<string[]> {
  const files = await readdir(paths.slots(folder));
  return files
    .filter((name) => name.endsWith(".cfg"))
    .map((name) => name.slice(0, -".cfg".length))
    .sort();
}

/** `first` and `last` are slot numbers, counted from 1. */
export async function writeEmptySlots(folder: string, first: number, last: number): Promise<void> {
  for (let index = first; index <= last; index++) {
    await writeFileAtomically(paths.slot(folder, slotName(index)), slotText(slotName(index), new Map()));
  }
}

export async function removeSlots(folder: string, first: number, last: number): Promise<void> {
  for (let index = first; index <= last; index++)
    await rm(paths.slot(folder, slotName(index)), { force: true });
}
