import { slotEntry } from "../../entries/slot-entry.js";
import { visitCookie } from "../../entries/visit-cookie.js";

/** Sets the cookie if the visitor does not have it yet. Counts visitors, and those who reach the goal. */
export function setCookieRules(): string {
  return `  http-response set-var(txn.vn) var(txn.slot),${slotEntry.field("version")}
  http-response set-var(txn.wanted) var(txn.slot),${slotEntry.field("track")},concat(.,txn.vn)
  http-response set-var(txn.before) var(txn.visit),${visitCookie.field("track", "version")}
  acl is_test var(txn.test) -m found
  http-response set-var(txn.wanted) var(txn.wanted),concat(.,txn.test) if is_test
  http-response set-var(txn.before) var(txn.visit),${visitCookie.field("track", "test")} if is_test
  acl is_visitor_before var(txn.before),strcmp(txn.wanted) eq 0
  acl was_at_goal var(txn.visit),${visitCookie.field("goal")} -m str g
  http-response sc-inc-gpc(2,0) if !is_visitor_before
  http-response set-var(txn.mark) str(.g) if { var(txn.goal) -m found } { status lt 400 } || is_test is_visitor_before was_at_goal
  http-response sc-inc-gpc(3,0) if { var(txn.mark) -m found } !is_visitor_before || { var(txn.mark) -m found } !was_at_goal
  http-response set-var(txn.value) var(txn.wanted),concat(,txn.mark)
  http-response add-header Set-Cookie "sluice=%[var(txn.value)]; Path=/; HttpOnly; SameSite=Lax" if !{ var(txn.value),strcmp(txn.visit) eq 0 }
`;
}
