import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { HITS, unitKey } from "../counting-tables.js";
import { visitCookie } from "../../entries/visit-cookie.js";
import { DEFAULT_MODE_HEADER } from "./mode-rules.js";

/**
 * The fast path, for visitors about whom nothing is left to decide (`visitorsOf`). Sets `txn.visit`, the visitor's cookie, and
 * `txn.counted` by its draw and ticket, if it has them.
 */
export function decidedVisitorRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  # Most requests end here: there is nothing to decide about the visitor, and no cookie to set.
  http-request set-var(txn.visit) req.cook(sluice)
  # No target has a dot in it, so this cuts the cookie after its draw.
  http-request set-var(txn.slot) var(txn.target),concat(|,txn.visit),${visitCookie.field("track", "draw")},map_str(${paths.map(folder, "visitors")}) unless { req.fhdr(${DEFAULT_MODE_HEADER}) -m found }
  http-request track-sc0 var(txn.slot) table ${HITS} if { var(txn.slot) -m found }
  http-request set-var(txn.counted) var(txn.visit),${visitCookie.field("draw", "ticket")},${unitKey} if { var(txn.slot) -m found } { var(txn.visit),${visitCookie.field("ticket")} -m found }
  http-request set-src var(txn.counted) if { var(txn.counted) -m found }
  http-request allow if { var(txn.slot) -m found }
`;
}
