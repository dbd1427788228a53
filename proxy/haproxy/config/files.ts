import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { prepareCertificates } from "../certificates/certificate-files.js";
import { bucketMapText } from "../counting/bucket-map.js";
import { configurationText } from "./configuration.js";
import type { HaproxyOptions } from "./haproxy-options.js";
import { pageMapText } from "./pages/page-map.js";
import { paths } from "./paths.js";
import { MAPS } from "./state.js";
import { scriptText } from "./text/script.js";
import { lineOptions, slotName, slotText, withOptions } from "./text/slot-text.js";

/** How many slots there are at first. When they run out, a reload adds more. */
const FIRST_SLOTS = 32;

/** Writes what HAProxy needs to start: the fixed part always, slots and maps only if there are none yet. */
export async function prepareFiles(options: HaproxyOptions): Promise<{ changed: boolean }> {
  const { folder } = options;
  await mkdir(paths.slots(folder), { recursive: true });
  const text = configurationText(options);
  const isOther = (await readFile(paths.configuration(folder), "utf8").catch(() => "")) !== text;
  const pages = pageMapText();
  const arePagesOther = (await readFile(paths.pages(folder), "utf8").catch(() => "")) !== pages;
  await writeFileAtomically(paths.pages(folder), pages);
  await writeFileAtomically(paths.buckets(folder), bucketMapText());
  await writeFileAtomically(paths.script(folder), scriptText(options));
  await prepareCertificates(folder);
  await writeFileAtomically(paths.configuration(folder), text);
  const present = new Set(await readdir(folder));
  for (const map of MAPS) {
    if (!present.has(`${map}.map`)) await writeFileAtomically(paths.map(folder, map), "");
  }
  const ofServers = lineOptions(options);
  if ((await slotsIn(folder)).length === 0) await writeEmptySlots(folder, [1, FIRST_SLOTS], ofServers);
  return { changed: (await renewOptions(folder, ofServers)) || isOther || arePagesOther };
}

/** Names, in order. */
export async function slotsIn(folder: string): Promise<string[]> {
  const files = await readdir(paths.slots(folder));
  return files
    .filter((name) => name.endsWith(".cfg"))
    .map((name) => name.slice(0, -".cfg".length))
    .sort();
}

/** `first` and `last` are slot numbers, counted from 1; `options`: `lineOptions`. */
export async function writeEmptySlots(
  folder: string,
  [first, last]: readonly [first: number, last: number],
  options: string,
): Promise<void> {
  for (let index = first; index <= last; index++) {
    const slot = slotName(index);
    await writeFileAtomically(paths.slot(folder, slot), slotText(slot, new Map(), options));
  }
}

/** The engine may be another than the last time. Returns whether a server's options were changed. */
async function renewOptions(folder: string, options: string): Promise<boolean> {
  let isChanged = false;
  for (const slot of await slotsIn(folder)) {
    const before = await readFile(paths.slot(folder, slot), "utf8");
    const after = withOptions(before, options);
    if (after === before) continue;
    await writeFileAtomically(paths.slot(folder, slot), after);
    isChanged = true;
  }
  return isChanged;
}

export async function removeSlots(folder: string, first: number, last: number): Promise<void> {
  for (let index = first; index <= last; index++)
    await rm(paths.slot(folder, slotName(index)), { force: true });
}
