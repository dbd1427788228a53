import { MANY_ERRORS } from "../../../../../core/records/traffic/traffic.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { LATENCIES, MET, MET_P99 } from "../counting-tables.js";
import { limitsEntry } from "../../entries/limits-entry.js";
import { slotEntry } from "../../entries/slot-entry.js";

/** The release's headers, and how the answer is counted. Ends the rules for visitors whose cookie stays as it is. */
export function answerRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  http-response set-header sluice-release %[var(txn.slot),${slotEntry.field("version")}]
  http-response set-header sluice-track %[var(txn.slot),${slotEntry.field("track")}]
  http-response set-var(txn.bucket) date(0,us),sub(txn.began),map_ip(${paths.buckets(folder)})
  http-response track-sc1 var(txn.slot),concat(|,txn.bucket) table ${LATENCIES}
  http-response sc-inc-gpc0(1)
  http-response sc-inc-gpc(0,0) if { status 400:499 }
  http-response sc-inc-gpc(1,0) if { status 500:599 }
  # A visitor whom chance has sent here counts once for each thing that they meet. HAProxy's own errors are no \`http-response\`, and
  # there only fetches can count.
  acl is_counted var(txn.counted) -m found
  http-after-response allow unless { status 500:599 } is_counted
  http-after-response set-var(txn.met) sc_inc_gpc(4,0) if { src_get_gpc0(${MET}) eq 0 }
  http-after-response set-var(txn.met) sc_inc_gpc(7,0) if { src_get_gpc0(${MET}) eq ${MANY_ERRORS - 1} }
  http-after-response set-var(txn.met) src_inc_gpc0(${MET})
  http-response add-header Set-Cookie "sluice=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax%[ssl_fc,iif(; Secure,)]" if { var(txn.take) -m found }
  acl is_given var(txn.give) -m found
  http-response set-var(txn.limits) var(txn.slot),map_str(${paths.map(folder, "limits")}) if is_counted
  acl is_over_p90 var(txn.limits),${limitsEntry.field("p90")},sub(txn.bucket) -m int lt 0
  http-response allow if !is_given !is_over_p90
  http-response sc-inc-gpc(5,0) if is_over_p90 { src_get_gpc1(${MET}) eq 0 }
  http-response set-var(txn.met) src_inc_gpc1(${MET}) if is_over_p90
  acl is_over_p99 var(txn.limits),${limitsEntry.field("p99")},sub(txn.bucket) -m int lt 0
  http-response sc-inc-gpc(6,0) if is_over_p99 { src_get_gpc0(${MET_P99}) eq 0 }
  http-response set-var(txn.met) src_inc_gpc0(${MET_P99}) if is_over_p99
  http-response allow unless is_given
`;
}
