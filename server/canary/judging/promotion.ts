import type { AppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { PRODUCTION, type RouteTable } from "../../../core/records/routes/route-table.js";
import type { CanaryRecord } from "../canary-record.js";
import { withDecision } from "./next-move.js";

const SHORTEST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Records the failure among the canary's decisions. Judging continues. `now`: ms since 1970. Pure. */
export function withFailedPromotion(record: CanaryRecord, { message }: AppError, now: number): CanaryRecord {
  const { verdict, failedPromotion } = record;
  if (verdict === undefined) return record;
  const [why = ""] = message.split("\n");
  const reason = `The promotion failed: ${why} Production was not changed. The promotion will be tried again.`;
  const times = failedPromotion?.times ?? 0;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** times);
  const decision = {
    ...verdict,
    at: new Date(now).toISOString(),
    word: "hold",
    action: "none",
    reason,
  } as const;
  return {
    ...withDecision(record, decision),
    failedPromotion: { times: times + 1, retryAt: now + pauseMs, reason },
  };
}

/** Why a canary that passes is not promoted automatically now; undefined: it may be. Pure. */
export function whyNotPromoted(
  { app, beside, failedPromotion }: CanaryRecord,
  { tracks }: Pick<RouteTable, "tracks">,
  now: number,
): string | undefined {
  const production = tracks[PRODUCTION];
  if (beside !== undefined && beside !== (production ?? null))
    return `Production changed from ${nameOf(beside)} to ${nameOf(production)} after this canary began, so Sluice does not promote it by itself. To promote it: sluice promote ${app}`;
  return failedPromotion !== undefined && now < failedPromotion.retryAt ? failedPromotion.reason : undefined;
}

function nameOf(number: number | null | undefined): string {
  return typeof number === "number" ? releaseName(number) : "none";
}
