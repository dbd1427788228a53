import { abortReason, type Clock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";

export interface ApiRequest {
  readonly url: string;
  /** How errors refer to it, such as `GET /v2/account`. */
  readonly request: string;
  readonly method: string;
  readonly token: string;
  readonly body: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const TIMEOUT_MS = 30_000;
const LONGEST_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Sends one request and reads the response, whatever its status. Redirects are not followed. Throws `digitalocean-unreachable`
 * when no response comes.
 */
export async function exchange(
  { url, request, method, token, body }: ApiRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const late = new AbortController();
  const done = new AbortController();
  void clock.sleep(TIMEOUT_MS, done.signal).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.any([signal, late.signal]),
    });
    return { status: response.status, headers: response.headers, text: await textOf(response) };
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    const reason = late.signal.aborted ? `no response within ${TIMEOUT_MS / 1000} s` : causeOf(error);
    const address = new URL(url).host;
    throw new AppError("digitalocean-unreachable", { address, request, reason }, { cause: error });
  } finally {
    done.abort();
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // It yields bytes; its type says `any`.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER_BYTES)
      throw new Error(`the response has more than ${LONGEST_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The message of `fetch` is always "fetch failed"; its cause has the reason. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
