import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { unlessAborted } from "../async/unless-aborted.js";
import { abortReason } from "../clock.js";
import { DeliveryError } from "../outbox/delivery-error.js";
import type { AddressPolicy } from "./address-policy.js";
import { RefusedAddress, resolveHost } from "./resolve-host.js";

export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RequestAnswer {
  readonly status: number;
  /** At most 64 KiB of it. */
  readonly text: string;
}

export interface RequestOptions {
  /** What may be connected to. */
  readonly addresses: AddressPolicy;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export const LONGEST_ANSWER_BYTES = 65_536;
const SHOWN_CHARACTERS = 200;
/** Of 4xx, those that another time may answer better: timeout, too early, too many. */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([408, 425, 429]);
const MOVED_FOR_GOOD: ReadonlySet<number> = new Set([301, 308]);

/**
 * One HTTP request to another's server. Resolves with a 2xx answer; throws a `DeliveryError` for every other, and when none
 * comes. The connection goes to an address that the policy allows: the name is resolved once. Redirects are not followed:
 * the address was given by a person, and secrets go to no other. Messages name the host only, since a path or query may be
 * secret.
 */
export async function sendRequest(request: OutgoingRequest, options: RequestOptions): Promise<RequestAnswer> {
  const { signal, timeoutMs } = options;
  const { host } = new URL(request.url);
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: RequestAnswer & { readonly headers: IncomingHttpHeaders };
  try {
    answer = await exchange(request, options, AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    if (timeout.aborted) throw new DeliveryError(`${host} did not answer within ${timeoutMs / 1000} s`);
    if (error instanceof RefusedAddress) throw new DeliveryError(error.message, { cause: error });
    throw new DeliveryError(`${host} cannot be reached (${causeOf(error)})`, { cause: error });
  }
  const { headers, ...told } = answer;
  const problem = refusal(host, told, headers["retry-after"], Date.now());
  if (problem !== undefined) throw problem;
  return told;
}

async function exchange(
  { method, url, headers, body }: OutgoingRequest,
  { addresses: policy }: RequestOptions,
  signal: AbortSignal,
): Promise<RequestAnswer & { readonly headers: IncomingHttpHeaders }> {
  const { protocol, hostname } = new URL(url);
  const addresses = await unlessAborted(resolveHost(hostname, policy), signal);
  const outgoing = (protocol === "https:" ? httpsRequest : httpRequest)(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
    // A connection of its own, to one of the addresses that were looked at.
    agent: false,
    lookup: (_name, { all }, done) => {
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      if (all === true) done(null, found);
      else done(null, found[0]?.address ?? "", found[0]?.family ?? 4);
    },
    signal,
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  // Whatever comes of the request once its answer is read.
  outgoing.on("error", () => undefined);
  return { status: response.statusCode ?? 0, headers: response.headers, text: await firstBytes(response) };
}

/** What an answer other than 2xx means for the next try. Pure. */
export function refusal(
  host: string,
  { status, text }: RequestAnswer,
  retryAfter: string | undefined,
  now: number,
): DeliveryError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const isRefused = status >= 400 && status < 500 && !WORTH_ANOTHER_TRY.has(status);
  const isFinal = isRefused || MOVED_FOR_GOOD.has(status);
  const retryAfterMs = parseRetryAfter(retryAfter, now);
  return new DeliveryError(`${host} answered ${status}${shown(status, text)}`, {
    isFinal,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function shown(status: number, text: string): string {
  if (status >= 300 && status < 400) return ", a redirect, which is not followed";
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line === "" ? "" : `: ${line.slice(0, SHOWN_CHARACTERS)}`;
}

async function firstBytes(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    // A response without an encoding is of buffers.
    const bytes = chunk as Buffer;
    chunks.push(bytes.subarray(0, LONGEST_ANSWER_BYTES - length));
    length += bytes.length;
    // Leaving the loop closes the connection.
    if (length >= LONGEST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function causeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
