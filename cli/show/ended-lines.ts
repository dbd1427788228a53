import type { AppSummary } from "../../core/api/apps/apps.js";

const SHOWN = 5;

/** Instances that have ended and wait for their next start, for people. */
export function endedLines(apps: readonly AppSummary[]): string[] {
  const ended = apps
    .flatMap(({ instances }) => instances)
    .filter(({ running, lastEnd }) => !running && lastEnd !== undefined);
  const lines = ended
    .slice(0, SHOWN)
    .map(({ id, restarts, lastEnd }) => `ended    ${id}, ${timesText(restarts)}: ${lastEnd ?? ""}`);
  return ended.length > SHOWN ? [...lines, `         and ${ended.length - SHOWN} more`] : lines;
}

function timesText(count: number): string {
  return count === 1 ? "once" : `${count} times, the last time`;
}
