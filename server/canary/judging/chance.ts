import type { CanarySettings } from "../../../core/records/releases/canary-settings.js";
import { BASELINE, canaryShare, type RouteTable } from "../../../core/records/routes/route-table.js";

/**
 * The probability (0 to 1) with which a visitor of the canary or of what it is compared with was sent to the canary. 0 and 1:
 * chance divides nobody, so there is nothing to compare. Pure.
 */
export function chanceOf(table: RouteTable, { baseline }: Pick<CanarySettings, "baseline">): number {
  const share = canaryShare(table, false);
  const others = 100 - share;
  const rival = !baseline ? others : table.tracks[BASELINE] === undefined ? 0 : Math.min(share, others);
  return share === 0 ? 0 : share / (share + rival);
}
