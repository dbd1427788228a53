import { PRODUCTION } from "../../../../../core/records/routes/route-table.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { splitEntry } from "../../entries/split-entry.js";
import { target } from "../../entries/target.js";
import { page } from "../../pages/page-map.js";

/** The header by which a visitor asks for production (`blue`) or the canary (`green`), unless an app names another. */
export const DEFAULT_MODE_HEADER = "x-client-mode";

/** The release that a visitor asks for with the mode header. Sets `is_asked` and `has_canary`. */
export function modeRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  # A header chooses production (blue) or the canary (green).
  http-request set-var(txn.mode) req.fhdr(${DEFAULT_MODE_HEADER}),lower if { var(txn.target),${target.field("name")} -m str ${PRODUCTION} } !{ var(txn.split),${splitEntry.field("header")} -m len gt 0 }
  http-request set-var(txn.mode) lua.named_header,lower if { var(txn.split),${splitEntry.field("header")} -m len gt 0 }
  acl is_green var(txn.mode) -m str green
  acl is_asked var(txn.mode) -m str blue green
  acl has_canary var(txn.split),${splitEntry.field("canary")} -m sub /
  http-request return status 404 ${page(folder, "noCanary")} if is_green !has_canary
  http-request set-var(txn.release) var(txn.split),${splitEntry.field("canary")} if is_green
`;
}
