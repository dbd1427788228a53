import { REDIRECT } from "../../../../proxy.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { page } from "../../pages/page-map.js";

/** Sends visitors on whose host leads to another one, and away where it leads nowhere. Uses `txn.target`. */
export function redirectRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  acl is_redirect var(txn.target) -m sub ${REDIRECT}
  http-request redirect code 301 location %[req.fhdr(x-forwarded-proto)]://%[var(txn.target),field(2,${REDIRECT})]%[req.hdr(host),regsub(^[^:]*,)]%[pathq] if is_redirect { method GET HEAD }
  http-request redirect code 308 location %[req.fhdr(x-forwarded-proto)]://%[var(txn.target),field(2,${REDIRECT})]%[req.hdr(host),regsub(^[^:]*,)]%[pathq] if is_redirect
  http-request return status 404 ${page(folder, "unknownHost")} unless { var(txn.target) -m found }
`;
}
