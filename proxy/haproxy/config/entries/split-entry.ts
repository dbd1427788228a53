import type { Split } from "../../../proxy.js";
import { versionOf } from "./target.js";
import { delimited } from "./delimited.js";

/**
 * How a track's visitors are split, in the map `splits`.
 *
 * - `canary`, `baseline`: `APP/vN`, or `none`
 * - `share`: of the visitors, in ten-thousandths
 * - `header`: the app's own mode header, or nothing
 * - `goal`: the path that visitors are meant to reach, or nothing
 * - `draw`: a `drawEntry`, as in the visitors' cookie, or `none`
 */
export const splitEntry = delimited("|", "canary", "share", "header", "goal", "baseline", "draw");

export function formatSplitEntry(split: Split): string {
  const { canary, header, goal, baseline } = split;
  return splitEntry.format({
    canary: canary ?? "none",
    share: String(partsOf(split)),
    header: header ?? "",
    goal: goal ?? "",
    baseline: baseline ?? "none",
    draw: drawOf(split) ?? "none",
  });
}

/** The canary (`vN`) and the share (in ten-thousandths) for which a visitor's ticket counts. */
export const drawEntry = delimited("-", "canary", "share");

/** As a `drawEntry`; undefined: there is no canary. */
export function drawOf(split: Split): string | undefined {
  if (split.canary === undefined) return undefined;
  return drawEntry.format({ canary: versionOf(split.canary), share: String(partsOf(split)) });
}

function partsOf({ canary, share }: Split): number {
  return canary === undefined ? 0 : Math.round(share * 100);
}
