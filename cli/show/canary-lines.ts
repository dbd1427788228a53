import type { CanarySummary, Conversion, ShownNumbers } from "../../core/api/apps/canary.js";
import { table } from "./table.js";
import { utcTime } from "./utc-time.js";

const LAST_DECISIONS = 10;

/** A canary for people: its share, how it compares with production, and the decisions. */
export function canaryLines(summary: CanarySummary): string[] {
  const { app, release, state, share, isByHand, step, steps, startedAt, verdict, decisions, goal } = summary;
  const since = utcTime(startedAt);
  const stage = isByHand ? ", set by hand" : steps > 1 ? `, step ${step} of ${steps}` : "";
  const now = state === "live" ? `gets ${share} % of the new visitors${stage}` : `was ${state}`;
  const lines = [`${release} of ${app}: canary since ${since} UTC, ${now}`, ""];
  if (verdict !== null) {
    lines.push(...trackLines(verdict.numbers), "", `${verdict.word}: ${verdict.reason}`);
  } else lines.push("No verdict yet.");
  if (goal !== null && verdict?.word === "fail")
    lines.push(`Sluice does not end an A/B test by itself: sluice abort ${app}, or sluice promote ${app}`);
  if (goal !== null) {
    lines.push("", `Visitors who reached ${goal.path} (95 % intervals; the verdict does not depend on it):`);
    lines.push(
      `  canary      ${conversionText(goal.canary)}`,
      `  production  ${conversionText(goal.production)}`,
    );
    lines.push(`  difference  ${percent(goal.difference.low)} to ${percent(goal.difference.high)}`);
  }
  if (decisions.length > 0) lines.push("", ...decisionLines(decisions.slice(-LAST_DECISIONS)));
  return lines;
}

function trackLines({ canary, production, against }: ShownNumbers): string[] {
  const rows = [["canary", canary] as const, [against, production] as const].map(([track, numbers]) => [
    track,
    String(numbers.requests),
    `${numbers.errors}${numbers.errorShare === null ? "" : ` (${percent(numbers.errorShare)})`}`,
    milliseconds(numbers.p50Ms),
    milliseconds(numbers.p99Ms),
    String(numbers.visitors),
    partOf(numbers.visitorsWithErrors, numbers.visitors),
    partOf(numbers.visitorsOverP99, numbers.visitors),
  ]);
  return table(["track", "requests", "errors", "p50", "p99", "visitors", "met errors", "met slowness"], rows);
}

function partOf(some: number, all: number): string {
  return `${some}${all === 0 ? "" : ` (${percent(some / all)})`}`;
}

function decisionLines(decisions: CanarySummary["decisions"]): string[] {
  const rows = decisions.map(({ at, word, action, share, reason }) => [
    utcTime(at),
    `${share} %`,
    action === "none" ? word : `${word}: ${action}`,
    reason,
  ]);
  return table(["decided (UTC)", "share", "decision", "reason"], rows);
}

function conversionText({ visitors, reached, share, interval }: Conversion): string {
  const range = `${percent(interval.low)} to ${percent(interval.high)}`;
  return `${reached} of ${visitors}${share === null ? "" : `, ${percent(share)} (${range})`}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function milliseconds(value: number | null): string {
  return value === null ? "-" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
