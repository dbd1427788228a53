import { slotEntry, STICKY } from "../../entries/slot-entry.js";
import { splitEntry } from "../../entries/split-entry.js";
import { target } from "../../entries/target.js";

/**
 * Whether the visitor gets a cookie (`txn.give`), which A/B test they take part in (`txn.test`), and whether this request is for
 * its goal (`txn.goal`).
 */
export function wantedCookieRules(): string {
  return `  # The visitor's cookie: TRACK.vN. In an A/B test it is TRACK.vN.TEST, where the canary's release names the test, followed by .g
  # once they have reached the goal. Everyone whose release can be remembered gets one. The canary's visitors keep theirs while an
  # alert sends them elsewhere.
  http-request set-var(txn.give) bool(true) if { var(txn.slot),${slotEntry.field("visitors")} -m str ${STICKY} } !is_asked !is_by_own_host || { var(txn.share) -m found } || is_canary_visitor !has_canary !is_asked
  http-request unset-var(txn.give) if is_canary_visitor has_canary !is_split
  http-request set-var(txn.goalpath) var(txn.split),${splitEntry.field("goal")} if { var(txn.share) -m found } { var(txn.split),${splitEntry.field("goal")} -m len gt 0 }
  http-request set-var(txn.test) var(txn.split),${splitEntry.field("canary")},${target.field("name")} if { var(txn.goalpath) -m found }
  http-request set-var(txn.goal) bool(true) if { path,strcmp(txn.goalpath) eq 0 }
`;
}
