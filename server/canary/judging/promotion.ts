import type { AppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { PRODUCTION, type RouteTable } from "../../../core/records/routes/route-table.js";
import type { CanaryRecord } from "../canary-record.js";
import { withDecision } from "./next-move.js";

const SHORTEST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** It is said where people look for what became of the canary, which is judged on meanwhile. `now`: ms since 1970. Pure. */
export function withFailedPromotion(record: CanaryRecord, { message }: AppError, now: number): CanaryRecord {
  const { verdict, failedPromotion } = record;
  if (verdict === undefined) return record;
  const [why = ""] = message.split("\n");
  const reason = `It could not be promoted: ${why} Production stays as it is, and the promotion will be tried again.`;
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

/** Why a canary that passes is not promoted by itself now; undefined: nothing speaks against it. Pure. */
export function whyNotPromoted(
  { app, beside, failedPromotion }: CanaryRecord,
  { tracks }: Pick<RouteTable, "tracks">,
  now: number,
): string | undefined {
  const production = tracks[PRODUCTION];
  if (beside !== undefined && beside !== (production ?? null))
    return `Production became ${nameOf(production)} after this canary began beside ${nameOf(beside)}: only a person replaces that. \`sluice promote ${app}\` does.`;
  return failedPromotion !== undefined && now < failedPromotion.retryAt ? failedPromotion.reason : undefined;
}

function nameOf(number: number | null | undefined): string {
  return typeof number === "number" ? releaseName(number) : "none";
}
