import type { Split } from "../../../proxy.js";
import { delimited } from "./delimited.js";

/**
 * How a track's visitors are split, in the map `splits`.
 *
 * - `canary`, `baseline`: `APP/vN`, or `none`
 * - `share`: of the visitors, in ten-thousandths
 * - `header`: the app's own mode header, or nothing
 * - `goal`: the path that visitors are meant to reach, or nothing
 */
export const splitEntry = delimited("|", "canary", "share", "header", "goal", "baseline");

export function formatSplitEntry({ canary, share, header, goal, baseline }: Split): string {
  const parts = canary === undefined ? 0 : Math.round(share * 100);
  return splitEntry.format({
    canary: canary ?? "none",
    share: String(parts),
    header: header ?? "",
    goal: goal ?? "",
    baseline: baseline ?? "none",
  });
}
