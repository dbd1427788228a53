import { abortReason } from "../clock.js";
import { DeliveryError } from "../outbox/delivery-error.js";

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
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const LONGEST_ANSWER_BYTES = 65_536;
const SHOWN_CHARACTERS = 200;
/** Of 4xx, those that another time may answer better: timeout, too early, too many. */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([408, 425, 429]);
const MOVED_FOR_GOOD: ReadonlySet<number> = new Set([301, 308]);

/**
 * One HTTP request to another's server. Resolves with a 2xx answer; throws a `DeliveryError` for every other, and when none
 * comes. Redirects are not followed: the address was given by a person, and secrets go to no other. Messages name the
 * host only, since a path or query may be secret.
 */
export async function sendRequest(request: OutgoingRequest, options: RequestOptions): Promise<RequestAnswer> {
  const { url, ...init } = request;
  const { signal, timeoutMs } = options;
  const host = new URL(url).host;
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: RequestAnswer;
  let headers: Headers;
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    headers = response.headers;
    answer = { status: response.status, text: await firstBytes(response) };
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    if (timeout.aborted) throw new DeliveryError(`${host} did not answer within ${timeoutMs / 1000} s`);
    throw new DeliveryError(`${host} cannot be reached (${causeOf(error)})`, { cause: error });
  }
  const problem = refusal(host, answer, headers, Date.now());
  if (problem !== undefined) throw problem;
  return answer;
}

/** What an answer other than 2xx means for the next try. Pure. */
export function refusal(
  host: string,
  { status, text }: RequestAnswer,
  headers: Pick<Headers, "get">,
  now: number,
): DeliveryError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const isRefused = status >= 400 && status < 500 && !WORTH_ANOTHER_TRY.has(status);
  const isFinal = isRefused || MOVED_FOR_GOOD.has(status);
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), now);
  return new DeliveryError(`${host} answered ${status}${shown(status, text)}`, {
    isFinal,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function shown(status: number, text: string): string {
  if (status >= 300 && status < 400) return ", a redirect, which is not followed";
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line === "" ? "" : `: ${line.slice(0, SHOWN_CHARACTERS)}`;
}

async function firstBytes(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    // fetch's streams are of bytes; their type is any's.
    const bytes = chunk as Uint8Array;
    chunks.push(bytes.subarray(0, LONGEST_ANSWER_BYTES - length));
    length += bytes.length;
    // Leaving the loop cancels the rest.
    if (length >= LONGEST_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** fetch says "fetch failed"; why is in its cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
