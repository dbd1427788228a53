import { SMALL_BODY_BYTES } from "./body-rules.js";
import { BODY_SILENCE_SECONDS, REQUEST_SECONDS, type HaproxyOptions } from "../haproxy-options.js";
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
  # One end has closed, the other says nothing: over after this long.
  timeout client-fin 30s
  timeout server-fin 30s
  # A refused connection is tried again after this long: an instance that restarts costs a wait, not a request. Not more
  # often than this, since a request that kills its instance is repeated too.
  timeout connect 1s
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  # A first request never goes over a connection that the instance may be closing just now.
  http-reuse safe
  balance leastconn
  # The first piece of an answer is not held back until another one follows; and who has left is not waited for.
  option http-no-delay
  option abortonclose
  # A reload closes no kept connection on which a request may just be coming: only with the next answer.
  option idle-close-on-response
  http-error status 503 content-type text/plain string "This app has no healthy instance at the moment. Please try again shortly.\\n" hdr Retry-After 5

defaults backends from base
  # HAProxy 2.6 has no timeout but the server's for a body that it passes on. What is passed on counts as a word of the server's
  # (no \`option independent-streams\`): a body that goes on, however slowly, is not cut off, one that stalls is.
  http-request set-timeout server ${options.bodySilenceSeconds ?? BODY_SILENCE_SECONDS}s if { req.body_size gt 0 } !{ req.hdr_val(content-length) le ${SMALL_BODY_BYTES} }
`;
}
