import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";
import { FALLBACK_HOST } from "../../state.js";

/** Sets `txn.target`, the track or the release that the host name leads to. */
export function targetRules({ folder, domain }: Pick<HaproxyOptions, "folder" | "domain">): string {
  return `  http-request set-var(txn.target) req.hdr(host),host_only,lower,map_str(${paths.map(folder, "hosts")})
  http-request set-var(txn.target) str(${FALLBACK_HOST}),map_str(${paths.map(folder, "hosts")}) if !{ var(txn.target) -m found } { req.hdr(host),host_only,lower -m reg ^([0-9.]+|\\[.*|${domain.replaceAll(".", "\\\\.")})$ }
  http-request return status 404 content-type text/plain string "No app is served at this host name.\\n" unless { var(txn.target) -m found }
`;
}
