import { utcTime } from "./utc-time.js";

/** After so long without figures a host is said to be silent. */
const SILENT_MS = 10_000;

/** `now`, or since when it is silent. */
export function seenText(seenAt: string | null, now: number): string {
  if (seenAt === null) return "never";
  const silentMs = now - Date.parse(seenAt);
  return silentMs < SILENT_MS ? "now" : `silent since ${utcTime(seenAt)} UTC`;
}
