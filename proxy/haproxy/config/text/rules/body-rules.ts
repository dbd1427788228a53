import { REQUEST_SECONDS, type HaproxyOptions } from "../../haproxy-options.js";

/** Fits into HAProxy's buffer (`tune.bufsize`, 16 KiB) with usual headers. */
export const SMALL_BODY_BYTES = 8192;

/** Which bodies are received before an instance gets the request: small ones. */
export function bodyRules({
  requestSeconds = REQUEST_SECONDS,
}: Pick<HaproxyOptions, "requestSeconds">): string {
  return `  # An instance never waits for a small body, nor for the first byte of a longer one, which is streamed (see \`backends\`).
  http-request wait-for-body time ${requestSeconds}s at-least 1
  http-request wait-for-body time ${requestSeconds}s if { req.body_size 1:${SMALL_BODY_BYTES} } { req.hdr_val(content-length) le ${SMALL_BODY_BYTES} }
`;
}
