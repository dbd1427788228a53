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
  # A browser that has heard it goes to https at the port that it was given for http, unless that is 80 (RFC 6797, 8.3).
  http-request set-var(txn.hsts) var(txn.https),${httpsEntry.field("hstsSeconds")} if is_https_only { ssl_fc } !{ req.hdr(host) -m reg :[0-9]+$ }
  http-after-response set-header Strict-Transport-Security max-age=%[var(txn.hsts)] if { var(txn.hsts) -m int gt 0 }
`;
}
