import { delimited } from "./delimited.js";

/**
 * What the maps `slots` and `visitors` say of a release; requests are counted by it, too.
 *
 * - `release`: `APP/vN`
 * - `slot`: the backend that has its servers; `WAKE` if it sleeps
 * - `track`: as visitors are told
 * - `visitors`: `sticky` or `free`; `asked` for those who ask for the release themselves, so that they are counted apart
 * - `version`: `vN`
 */
export const slotEntry = delimited("|", "release", "slot", "track", "visitors", "version");

export const STICKY = "sticky";
const ASKED = "asked";

export function formatSlotEntry(
  slot: string,
  release: string,
  { track, sticky }: { readonly track: string; readonly sticky: boolean },
): string {
  const version = release.split("/")[1] ?? "";
  return slotEntry.format({ release, slot, track, visitors: sticky ? STICKY : "free", version });
}

/** The same release for whoever asks for it. */
export function askedEntry(entry: string): string {
  return slotEntry.replace(entry, "visitors", ASKED);
}

export function isAskedEntry(entry: string): boolean {
  return slotEntry.parse(entry).visitors === ASKED;
}

/** The same entry, leading to another slot. */
export function withSlot(entry: string, slot: string): string {
  return slotEntry.replace(entry, "slot", slot);
}

export function slotOfEntry(entry: string): string {
  return slotEntry.parse(entry).slot ?? "";
}
