import type { HaproxyOptions } from "../haproxy-options.js";
import { paths } from "../paths.js";
import { maxConnectionsLine } from "./max-connections-line.js";

/** HAProxy configuration manual 2.6, section 3. */
export function globalSection(options: HaproxyOptions): string {
  return `global
  stats socket ${paths.adminSocket(options.folder)} mode 600 level admin expose-fd listeners
  fd-hard-limit ${options.openFiles}
  lua-load-per-thread ${paths.script(options.folder)}
${tlsLines()}${maxConnectionsLine(options)}${options.user === undefined ? "" : `  user ${options.user}\n  group ${options.user}\n`}`;
}

/**
 * What Mozilla calls "intermediate" (Server Side TLS 5.7): browsers of the last ten years. A session is resumed by the cache, not
 * by a ticket: the key of tickets would never change while HAProxy runs.
 */
function tlsLines(): string {
  const suites = ["ECDHE-ECDSA", "ECDHE-RSA"];
  const old = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"];
  const ciphers = old.flatMap((cipher) => suites.map((suite) => `${suite}-${cipher}`)).join(":");
  return `  ssl-default-bind-options prefer-client-ciphers ssl-min-ver TLSv1.2 no-tls-tickets
  ssl-default-bind-ciphers ${ciphers}
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
  ssl-default-bind-curves X25519:prime256v1:secp384r1
`;
}
