import { SMALL_BODY_BYTES } from "./rules/body-rules.js";
import { BODY_SILENCE_SECONDS, REQUEST_SECONDS, type HaproxyOptions } from "../haproxy-options.js";
import { page, pageOrOwn } from "../pages/page-map.js";
import { maxConnectionsLine } from "./max-connections-line.js";

/** Timeouts, retries and connections. HAProxy configuration manual 2.6, section 4.2. */
export function defaultsSections(options: HaproxyOptions): string {
  return `defaults base
  mode http
${maxConnectionsLine(options)}  timeout http-request ${options.requestSeconds ?? REQUEST_SECONDS}s
  timeout http-keep-alive 60s
  timeout client 1h
  timeout server 1h
  timeout tunnel 24h
  # How long a connection lasts when one end has closed it and the other is silent.
  timeout client-fin 30s
  timeout server-fin 30s
  # How long to wait before retrying a refused connection, so that an instance that restarts costs a delay and not a request.
  # There are few retries because a request that crashes its instance is retried too.
  timeout connect 1s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  # The first request of a connection never reuses one that the instance may be about to close.
  http-reuse safe
  balance leastconn
  # Send the first part of an answer without waiting for the next, and drop requests whose client has left.
  option http-no-delay
  option abortonclose
  # During a reload, an idle connection is closed after its next answer only: a request may be on its way.
  option idle-close-on-response
${errorLines(options)}
defaults backends from base
${silenceLines(options)}  # HAProxy 2.6 has only the server timeout for a body that it forwards. Forwarded data counts as server activity (there is no
  # \`option independent-streams\`), so a slow body is not cut off, but a stalled one is.
  http-request set-timeout server ${options.bodySilenceSeconds ?? BODY_SILENCE_SECONDS}s if { req.body_size gt 0 } !{ req.hdr_val(content-length) le ${SMALL_BODY_BYTES} }
`;
}

/** What HAProxy says by itself. */
function errorLines({ folder }: HaproxyOptions): string {
  const lines = [
    `408 ${page(folder, "requestTooSlow")}`,
    `500 ${page(folder, "failed")}`,
    `502 ${page(folder, "failed")}`,
    `503 ${pageOrOwn(folder, "noInstance")} hdr Retry-After 5`,
    `504 ${page(folder, "answerTooSlow")}`,
  ];
  return lines.map((line) => `  http-error status ${line}\n`).join("");
}

/**
 * A connection on which nothing is sent is asked whether its other end is there (tcp(7), `SO_KEEPALIVE`): a visitor's WebSocket to
 * a machine that is lost is closed within some seconds. See `lineOptions`.
 */
function silenceLines({ instancesOn = "this-machine" }: HaproxyOptions): string {
  if (instancesOn === "this-machine") return "";
  return `  option srvtcpka
  srvtcpka-idle 10s
  srvtcpka-intvl 1s
  srvtcpka-cnt 3
`;
}
