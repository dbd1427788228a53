import { slotEntry, STICKY } from "../../entries/slot-entry.js";
import { splitEntry } from "../../entries/split-entry.js";

/**
 * Whether the visitor gets a cookie (`txn.give`) or loses the one that they have (`txn.take`), and whether this request is for the
 * goal of an A/B test (`txn.goal`).
 */
export function wantedCookieRules(): string {
  return `  # Everyone whose release can be remembered gets a cookie. A ticket is kept while an alert sends all visitors to production.
  # When there is no canary any more it is removed, so that the next canary divides everybody again.
  http-request set-var(txn.give) bool(true) if { var(txn.slot),${slotEntry.field("visitors")} -m str ${STICKY} } !is_asked !is_by_own_host || is_shared || is_canary_visitor !has_ticket !has_canary !is_asked
  http-request unset-var(txn.give) if is_canary_visitor has_canary !is_split || has_ticket has_canary !is_split
  http-request set-var(txn.take) bool(true) if has_ticket !has_canary !is_asked !{ var(txn.give) -m found }
  http-request set-var(txn.goalpath) var(txn.split),${splitEntry.field("goal")} if { var(txn.unit) -m found } { var(txn.split),${splitEntry.field("goal")} -m len gt 0 }
  http-request set-var(txn.goal) bool(true) if { path,strcmp(txn.goalpath) eq 0 }
`;
}
