import { BASELINE, CANARY, PRODUCTION } from "../../../../../core/records/routes/route-table.js";
import { splitEntry } from "../../entries/split-entry.js";
import { visitCookie } from "../../entries/visit-cookie.js";

/**
 * The canary's and the baseline's share of the visitors. Sets `txn.share` for visitors who take part in a split, `is_split`, and
 * `txn.ticket` for those whom chance has sent to their track, now or before.
 */
export function splitRules(): string {
  return `  # A new visitor gets the canary by chance; one with a cookie stays on their track while it takes visitors.
  acl is_split var(txn.split),${splitEntry.field("share")} -m int gt 0
  acl is_canary_visitor var(txn.visit),${visitCookie.field("track")} -m str ${CANARY}
  acl is_production_visitor var(txn.visit),${visitCookie.field("track")} -m str ${PRODUCTION}
  acl has_baseline var(txn.split),${splitEntry.field("baseline")} -m sub /
  acl is_baseline_visitor var(txn.visit),${visitCookie.field("track")} -m str ${BASELINE}
  acl has_ticket var(txn.visit),${visitCookie.field("ticket")} -m len gt 1
  acl is_shared var(txn.share) -m found
  acl is_new var(txn.dice) -m found
  http-request set-var(txn.share) var(txn.split),${splitEntry.field("share")} if is_split !is_asked
  http-request set-var(txn.draw) var(txn.split),${splitEntry.field("draw")} if is_shared
  http-request set-var(txn.dice) rand(10000),sub(txn.share) if is_shared !is_production_visitor !is_canary_visitor !is_baseline_visitor || is_shared is_baseline_visitor !has_baseline
  http-request set-var(txn.ticket) rand(4294967295) if is_new
  http-request set-var(txn.ticket) var(txn.visit),${visitCookie.field("ticket")} if is_shared has_ticket !is_new
  http-request set-var(txn.release) var(txn.split),${splitEntry.field("canary")} if { var(txn.dice) -m int lt 0 }
  http-request set-var(txn.release) var(txn.split),${splitEntry.field("baseline")} if has_baseline { var(txn.dice) -m int ge 0 } { var(txn.dice),sub(txn.share) -m int lt 0 } || has_baseline is_shared is_baseline_visitor
  http-request set-var(txn.release) var(txn.split),${splitEntry.field("canary")} if is_shared is_canary_visitor
`;
}
