import { delimited } from "./delimited.js";

/**
 * A release in the maps `slots` and `visitors`. Requests are counted under the same text.
 *
 * - `release`: `APP/vN`
 * - `slot`: the backend with its servers; `WAKE` if it sleeps
 * - `track`: as in the header `sluice-track`
 * - `visitors`: `sticky` or `free`; `asked` for those who asked for this release, who are counted separately
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

/** The entry for visitors who ask for this release. */
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
