import { slotEntry } from "../../entries/slot-entry.js";
import { visitCookie } from "../../entries/visit-cookie.js";

/** Sets the cookie if the visitor does not have it yet. Counts sticky visitors, and who reaches the goal. */
export function setCookieRules(): string {
  return `  http-response set-var(txn.vn) var(txn.slot),${slotEntry.field("version")}
  http-response set-var(txn.wanted) var(txn.slot),${slotEntry.field("track")},concat(.,txn.vn)
  http-response set-var(txn.before) var(txn.visit),${visitCookie.field("track", "version")}
  acl is_visitor_before var(txn.before),strcmp(txn.wanted) eq 0
  acl is_drawn var(txn.unit) -m found
  acl was_at_goal var(txn.visit),${visitCookie.field("goal")} -m str g
  http-response sc-inc-gpc(2,0) if !is_drawn !is_visitor_before !is_split
  http-response set-var(txn.mark) str(.g) if is_drawn { var(txn.goal) -m found } { status lt 400 } || is_drawn is_same_draw was_at_goal
  http-response sc-inc-gpc(3,0) if { var(txn.mark) -m found } !is_same_draw || { var(txn.mark) -m found } !was_at_goal
  http-response set-var(txn.value) var(txn.wanted)
  http-response set-var(txn.value) var(txn.wanted),concat(.,txn.unit),concat(,txn.mark) if is_drawn
  http-response set-var(txn.drawn) var(txn.visit),${visitCookie.field("draw", "goal")}
  http-response set-var(txn.value) var(txn.wanted),concat(.,txn.drawn) if !is_drawn has_ticket has_canary
  http-response add-header Set-Cookie "sluice=%[var(txn.value)]; Path=/; HttpOnly; SameSite=Lax%[ssl_fc,iif(; Secure,)]" if !{ var(txn.value),strcmp(txn.visit) eq 0 }
`;
}
