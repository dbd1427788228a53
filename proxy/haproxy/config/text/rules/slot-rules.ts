import type { HaproxyOptions } from "../../haproxy-options.js";
import { pageOrOwn } from "../../pages/page-map.js";
import { paths } from "../../paths.js";
import { HITS, unitKey } from "../counting-tables.js";

/** Sets `txn.slot`, the chosen release's entry, counts the request under it, and sets `txn.counted` for visitors who count once. */
export function slotRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  # Visitors who asked for a release are counted separately.
  http-request set-var(txn.slot) var(txn.release),map_str(${paths.map(folder, "slots")})
  http-request set-var(txn.slot) var(txn.release),concat(|),map_str(${paths.map(folder, "visitors")}) if is_asked || is_by_own_host
  http-request return status 503 hdr Retry-After 5 ${pageOrOwn(folder, "noRelease")} unless { var(txn.slot) -m found }
  http-request track-sc0 var(txn.slot) table ${HITS}
  http-request set-var(txn.counted) var(txn.unit),${unitKey} if { var(txn.unit) -m found }
  http-request set-src var(txn.counted) if { var(txn.counted) -m found }
  http-request sc-inc-gpc(2,0) if { var(txn.unit) -m found } !is_same_draw
`;
}
