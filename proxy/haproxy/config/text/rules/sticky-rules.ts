import { BASELINE, CANARY, PRODUCTION } from "../../../../../core/records/routes/route-table.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { drawEntry } from "../../entries/split-entry.js";
import { slotEntry, STICKY } from "../../entries/slot-entry.js";
import { target } from "../../entries/target.js";
import { visitCookie } from "../../entries/visit-cookie.js";

/** The release that a visitor's cookie keeps them on. Sets `txn.unit` for visitors who are there by chance. */
export function stickyRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  # A sticky release keeps its visitors while it has a server left; a canary, only while it takes visitors at all.
  http-request set-var(txn.had) var(txn.visit),${visitCookie.field("version")} if { var(txn.visit) -m found } !is_asked
  http-request set-var(txn.kept) var(txn.target),${target.field("app")},concat(/,txn.had) if { var(txn.had) -m found }
  http-request set-var(txn.keptslot) var(txn.kept),map_str(${paths.map(folder, "slots")}) if { var(txn.kept) -m found }
  # A preview's cookie counts at its own host alone: at another one, nobody has asked its visitor for the password.
  http-request set-var(txn.kepttrack) var(txn.keptslot),${slotEntry.field("track")} if { var(txn.keptslot) -m found }
  http-request set-var(txn.name) var(txn.target),${target.field("name")} if { var(txn.keptslot) -m found }
  http-request unset-var(txn.keptslot) unless { var(txn.kepttrack) -m str ${PRODUCTION} ${CANARY} ${BASELINE} } || { var(txn.kepttrack),strcmp(txn.name) eq 0 }
  acl is_kept var(txn.keptslot),${slotEntry.field("visitors")} -m str ${STICKY}
  acl is_kept_canary var(txn.keptslot),${slotEntry.field("track")} -m str ${CANARY}
  acl is_same_draw var(txn.visit),${visitCookie.field("draw")},strcmp(txn.draw) eq 0
  http-request set-var(txn.release) var(txn.kept) if is_kept { var(txn.keptslot),${slotEntry.field("slot")},nbsrv gt 0 } !is_kept_canary || is_kept { var(txn.keptslot),${slotEntry.field("slot")},nbsrv gt 0 } is_split
  # Visitors whom chance has sent to their tracks at the same share are compared with each other. Who came at another share, or is
  # kept on a release from before, is not.
  acl is_same_share var(txn.visit),${visitCookie.field("draw")},${drawEntry.field("share")},strcmp(txn.share) eq 0
  http-request set-var(txn.unit) var(txn.draw),concat(.,txn.ticket) if is_new !is_kept || { var(txn.ticket) -m found } is_same_share !is_kept || { var(txn.ticket) -m found } is_same_draw
`;
}
