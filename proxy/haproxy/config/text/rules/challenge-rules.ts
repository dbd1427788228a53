import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";

/** Answers an authority that asks whether this is the host of a name (RFC 8555, 8.3). Other tokens are the app's own. */
export function challengeRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  const answer = `path,field(4,/),map_str(${paths.challenges(folder)})`;
  return `  http-request return status 200 content-type application/octet-stream lf-string %[${answer}] if { path_beg /.well-known/acme-challenge/ } { ${answer} -m found }
`;
}
