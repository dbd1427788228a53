import type { Event } from "../../core/api/events.js";
import { utcTime } from "./utc-time.js";

/** As they come, nobody knows how wide the widest will be. */
const WIDTHS = [19, 16, 40];

export const EVENTS_HEAD = aligned(["time (UTC)", "app", "what", "who"]);

/** An event in a line for people. */
export function eventLine(event: Event): string {
  return aligned([utcTime(event.at), event.app, whatHappened(event), whoDid(event)]);
}

function whoDid({ by, from }: Event): string {
  return from === undefined ? by : `${by} (${from})`;
}

function whatHappened({ type, release, data }: Event): string {
  const subject = [type, release ?? ""].join(" ").trimEnd();
  const more = detailOf(data);
  return more === "" ? subject : `${subject}: ${more}`;
}

function detailOf({ reason, scale, share, names, subject, scope, track, branch }: Event["data"]): string {
  if (reason !== undefined) return reason.split("\n")[0] ?? "";
  if (share !== undefined) return `${share.from} → ${share.to} %`;
  if (names !== undefined) return names.join(", ");
  if (subject !== undefined) return scope === undefined ? subject : `${subject}: ${scope}`;
  if (scale === undefined) return track === undefined ? "" : `${track} (${branch ?? "no branch"})`;
  return Object.entries(scale)
    .map(([process, { from, to }]) => `${process} ${from} → ${to}`)
    .join(", ");
}

function aligned(cells: readonly string[]): string {
  return cells
    .map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0))
    .join("  ")
    .trimEnd();
}
