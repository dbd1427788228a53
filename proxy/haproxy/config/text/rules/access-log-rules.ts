import { LINE_FORMAT, LONGEST_LINE_BYTES, visitFormat } from "../../../access-log/access-line.js";
import type { HaproxyOptions } from "../../haproxy-options.js";
import { paths } from "../../paths.js";

/**
 * Where lines of access logs go: a pipe that is HAProxy's standard output (`haproxyScript`). A line that has no room in it is
 * dropped, so a slow reader delays no visitor. (A `ring` with a server would do the same, but in HAProxy 2.6 it takes most of a
 * processor while nobody listens there.) Other lines than those of `accessLogRules` are silent, or of a lower level.
 */
export function accessLogLines(): string {
  return `  log stdout len ${LONGEST_LINE_BYTES} format raw local0 notice
  log-format "${LINE_FORMAT}"
  http-request set-log-level silent
`;
}

/** Requests of apps that want it are logged when their answer has ended. Uses `txn.target`. */
export function accessLogRules({
  folder,
  trustedProxies = [],
}: Pick<HaproxyOptions, "folder" | "trustedProxies">): string {
  return `  http-request set-var-fmt(txn.seen) "${visitFormat(trustedProxies.length > 0)}" if { var(txn.target),map_beg(${paths.map(folder, "access")}) -m found }
  http-request set-log-level notice if { var(txn.seen) -m found }
`;
}
