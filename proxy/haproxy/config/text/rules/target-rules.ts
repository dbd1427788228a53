import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { FALLBACK_HOST } from "../../state.js";

/** Sets `txn.target`, the track or the release that the host name leads to. */
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
`;
}
