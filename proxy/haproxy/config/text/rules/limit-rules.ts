import type { HaproxyOptions } from "../../haproxy-options.js";
import { guardEntry } from "../../entries/guard-entry.js";
import { target } from "../../entries/target.js";
import { page } from "../../pages/page-map.js";
import { VISITS } from "../counting-tables.js";

type Folder = Pick<HaproxyOptions, "folder">;

/** How many requests a visitor sends in a minute, and has open at once. Uses `txn.guard` and `txn.visitor`. */
export function limitRules({ folder }: Folder): string {
  const requests = `var(txn.guard),${guardEntry.field("requests")}`;
  const connections = `var(txn.guard),${guardEntry.field("connections")}`;
  return `  acl limits_requests ${requests} -m int gt 0
  acl limits_connections ${connections} -m int gt 0
  # An IPv6 visitor has 64 bits to choose addresses from.
  http-request set-var(txn.network) var(txn.visitor),ipmask(32,64) if limits_requests || limits_connections
  http-request set-var(txn.visited) var(txn.target),${target.field("app")},concat(|,txn.network) if limits_requests || limits_connections
  http-request track-sc2 var(txn.visited) table ${VISITS} if limits_requests || limits_connections
  http-request set-var(txn.sent) sc_gpc0_rate(2) if limits_requests
  http-request return status 429 hdr Retry-After 60 ${page(folder, "tooManyRequests")} if limits_requests { ${requests},sub(txn.sent) -m int le 0 }
  http-request set-var(txn.open) sc_conn_cur(2) if limits_connections
  http-request return status 429 hdr Retry-After 5 ${page(folder, "tooManyOpen")} if limits_connections { ${connections},sub(txn.open) -m int lt 0 }
  # What is refused does not count.
  http-request sc-inc-gpc0(2) if limits_requests
`;
}

/** How large a body may be. One that does not say its size is refused, since HAProxy 2.6 cannot end what it has begun to stream. */
export function bodyLimitRules({ folder }: Folder): string {
  const most = `var(txn.guard),${guardEntry.field("bodyBytes")}`;
  return `  acl limits_body ${most} -m int gt 0
  http-request set-var(txn.length) req.hdr_val(content-length) if limits_body
  http-request return status 413 ${page(folder, "bodyTooLarge")} if limits_body { ${most},sub(txn.length) -m int lt 0 }
`;
}

/** After the body has begun. */
export function bodyLengthRules({ folder }: Folder): string {
  return `  http-request return status 411 ${page(folder, "bodyWithoutLength")} if limits_body { req.body_size gt 0 } !{ req.fhdr(content-length) -m found }
`;
}
