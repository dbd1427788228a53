import { httpsEntry } from "../../entries/https-entry.js";
import type { HaproxyOptions } from "../../haproxy-options.js";

/**
 * Sends visitors on from http to https where their host has a certificate, and tells browsers to ask for nothing else
 * (RFC 6797). Uses `txn.https`. Who came without a port came to port 80, wherever that was led to.
 */
export function httpsRules({ httpsPort, trustedProxies = [] }: HaproxyOptions): string {
  if (httpsPort === undefined) return "";
  const isHttp = trustedProxies.length === 0 ? "!{ ssl_fc }" : "{ req.fhdr(x-forwarded-proto) -m str http }";
  const wherever = "https://%[req.hdr(host),host_only]%[var(txn.httpsport)]%[pathq]";
  return `  acl is_https_only var(txn.https) -m found
  http-request set-var(txn.httpsport) str(:${httpsPort}) if is_https_only { req.hdr(host) -m reg :[0-9]+$ }
  http-request redirect code 301 location ${wherever} if is_https_only ${isHttp} { method GET HEAD }
  http-request redirect code 308 location ${wherever} if is_https_only ${isHttp}
  http-after-response set-header Strict-Transport-Security max-age=%[var(txn.https),${httpsEntry.field("hstsSeconds")}] if { ssl_fc } { var(txn.https),${httpsEntry.field("hstsSeconds")} -m int gt 0 }
`;
}
