import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { LATENCIES } from "../counting-tables.js";
import { slotEntry } from "../../entries/slot-entry.js";

/** The release's headers, and how the answer is counted. Ends the rules for visitors who get no cookie. */
export function answerRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  http-response set-header sluice-release %[var(txn.slot),${slotEntry.field("version")}]
  http-response set-header sluice-track %[var(txn.slot),${slotEntry.field("track")}]
  http-response set-var(txn.bucket) date(0,us),sub(txn.began),map_ip(${paths.buckets(folder)})
  http-response track-sc1 var(txn.slot),concat(|,txn.bucket) table ${LATENCIES}
  http-response sc-inc-gpc0(1)
  http-response sc-inc-gpc(0,0) if { status 400:499 }
  http-response sc-inc-gpc(1,0) if { status 500:599 }
  http-response allow unless { var(txn.give) -m found }
`;
}
