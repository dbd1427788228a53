import { BASELINE, CANARY } from "../../../../../core/records/routes/route-table.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { target } from "../../entries/target.js";

/** Sets `txn.release`, which later rules may replace, `txn.split` and `is_by_own_host`. */
export function releaseRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  http-request set-var(txn.release) var(txn.target),map_str(${paths.map(folder, "tracks")},none)
  http-request set-var(txn.release) var(txn.target) if { var(txn.release) -m str none }
  http-request set-var(txn.split) var(txn.target),map_str(${paths.map(folder, "splits")})
  # Whoever uses the host name of a release, of the canary or of its baseline asked for it, and is no track's visitor. (A canary
  # without production has a split, and thus visitors.)
  acl is_by_own_host var(txn.release),strcmp(txn.target) eq 0
  acl is_by_own_host var(txn.target),${target.field("name")} -m str ${CANARY} ${BASELINE}
  http-request unset-var(txn.visit) if is_by_own_host !{ var(txn.split) -m found }
`;
}
