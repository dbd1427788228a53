import type { HaproxyOptions } from "../../haproxy-options.js";
import { GUARDED, guardEntry } from "../../entries/guard-entry.js";
import { target } from "../../entries/target.js";
import { page } from "../../pages/page-map.js";
import { paths } from "../../paths.js";

/**
 * Finds out whether a target is guarded. Sets `txn.guard`, its entry, and `txn.visitor`, the visitor's address, and `txn.own`, the
 * app, for visitors who may get its own error page; refuses visitors whose address is not allowed. A target without a guard costs no look-up: what its host leads to says that it has none.
 */
export function guardRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  acl is_guarded var(txn.guard) -m found
  acl is_marked var(txn.target) -m end ${GUARDED}
  http-request set-var(txn.guard) var(txn.target),map_str(${paths.map(folder, "guards")}) if is_marked
  # Without its entry, nobody can tell who may visit it.
  http-request return status 503 hdr Retry-After 5 ${page(folder, "unknownAccess")} if is_marked !is_guarded
  http-request set-var(txn.target) var(txn.target),field(1,:) if is_guarded
  http-request set-var(txn.own) var(txn.target),${target.field("app")} if { var(txn.guard),${guardEntry.field("page")} -m str own } { var(txn.html) -m found }
  http-request set-var(txn.visitor) lua.visitor if is_guarded
  http-request return status 403 ${page(folder, "address")} if is_guarded { lua.is_allowed -m str no }
`;
}

/**
 * Asks for the password of previews, if there is one (RFC 7617). The app does not get it. An authority that asks for an app's own
 * answer (RFC 8555, 8.3) needs none.
 */
export function passwordRules({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `  acl needs_password var(txn.guard),${guardEntry.field("hash")} -m len gt 0
  acl is_challenge path -m reg ^/[.]well-known/acme-challenge/[A-Za-z0-9_-]+$
  http-request set-var(txn.hash) var(txn.guard),${guardEntry.field("hash")} if needs_password
  http-request set-var(txn.password) http_auth_pass if needs_password
  http-request set-var(txn.given) var(txn.guard),${guardEntry.field("salt")},concat(:,txn.password),sha2(256),hex if needs_password
  http-request return status 401 hdr WWW-Authenticate "Basic realm=\\"%[var(txn.target),${target.field("app")}]\\", charset=\\"UTF-8\\"" hdr Cache-Control no-store ${page(folder, "password")} if needs_password !is_challenge !{ var(txn.given),strcmp(txn.hash) eq 0 }
  http-request del-header Authorization if needs_password
`;
}
