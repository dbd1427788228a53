import { utcTime } from "./utc-time.js";

/** A host without figures for this long is called silent. */
const SILENT_MS = 10_000;

/** `now`, or since when it is silent. */
export function seenText(seenAt: string | null, now: number): string {
  if (seenAt === null) return "never";
  const silentMs = now - Date.parse(seenAt);
  return silentMs < SILENT_MS ? "now" : `silent since ${utcTime(seenAt)} UTC`;
}
