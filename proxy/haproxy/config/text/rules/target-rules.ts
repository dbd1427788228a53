import { REDIRECT } from "../../../../proxy.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { page } from "../../pages/page-map.js";
import { paths } from "../../paths.js";
import { FALLBACK_HOST } from "../../state.js";

/** Sets `txn.target`, the track or the release that the host name leads to; sends visitors on whose host leads to another one. */
export function targetRules({
  folder,
  domain,
  httpsPort,
}: Pick<HaproxyOptions, "folder" | "domain" | "httpsPort">): string {
  const host = "req.hdr(host),host_only,lower";
  const wildcard = `${host},regsub(^[^.]+[.],*.)`;
  const https =
    httpsPort === undefined
      ? ""
      : `  http-request set-var(txn.https) ${host},map_str(${paths.map(folder, "https")})
  http-request set-var(txn.https) ${wildcard},map_str(${paths.map(folder, "https")}) if !{ var(txn.target) -m found }
`;
  return `  http-request set-var(txn.target) req.hdr(host),host_only,lower,map_str(${paths.map(folder, "hosts")})
  http-request set-var(txn.target) str(${FALLBACK_HOST}),map_str(${paths.map(folder, "hosts")}) if !{ var(txn.target) -m found } { req.hdr(host),host_only,lower -m reg ^([0-9.]+|\\[.*|${domain.replaceAll(".", "\\\\.")})$ }
${https}  http-request set-var(txn.target) req.hdr(host),host_only,lower,regsub(^[^.]+[.],*.),map_str(${paths.map(folder, "hosts")}) if !{ var(txn.target) -m found }
  acl is_redirect var(txn.target) -m sub ${REDIRECT}
  http-request redirect code 301 location %[req.fhdr(x-forwarded-proto)]://%[var(txn.target),field(2,${REDIRECT})]%[req.hdr(host),regsub(^[^:]*,)]%[pathq] if is_redirect { method GET HEAD }
  http-request redirect code 308 location %[req.fhdr(x-forwarded-proto)]://%[var(txn.target),field(2,${REDIRECT})]%[req.hdr(host),regsub(^[^:]*,)]%[pathq] if is_redirect
  http-request return status 404 ${page(folder, "unknownHost")} unless { var(txn.target) -m found }
`;
}
