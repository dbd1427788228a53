import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { exchange, type ApiAnswer } from "./exchange.js";
import { RateLimit } from "./rate-limit.js";
import { refusalOf } from "./refusal.js";

export interface ApiCall<T> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Beginning with `/v2`, query included. */
  readonly path: string;
  /** That the token must have. */
  readonly scopes: readonly string[];
  readonly body?: unknown;
  /** Of the response body. Other fields are ignored. */
  readonly schema: z.ZodType<T>;
  readonly signal: AbortSignal;
}

export interface ListCall<T> extends Pick<ApiCall<T>, "path" | "scopes" | "signal"> {
  /** The field of the response that holds the list. */
  readonly key: string;
  readonly schema: z.ZodType<T>;
}

const PAGE_SIZE = 200;
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 1000;
/** Instead of waiting longer, it throws `digitalocean-rate-limited` with `retryAfterSeconds`. */
const LONGEST_PAUSE_MS = 60_000;
const pageSchema = z.looseObject({
  links: z.object({ pages: z.object({ next: z.string().optional() }).optional() }).optional(),
});

/** Sends requests and parses the responses. The token appears in no error and no log line. */
export class ApiRequests {
  readonly #token: string;
  private readonly url: string;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly rateLimit = new RateLimit();

  constructor({ url, token, clock, log }: { url: string; token: string; clock: Clock; log: Log }) {
    // `fetch` refuses other characters in a header, with an error that shows the token.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new AppError("digitalocean-token-malformed", {});
    this.#token = token;
    this.url = url.replace(/\/+$/, "");
    this.clock = clock;
    this.log = log;
  }

  /**
   * Repeats a request after a 429, which means that nothing was done, and unless it is a POST, also after a 5xx or when no
   * response comes. Such a POST may have been carried out: `createOnce` finds out.
   */
  async send<T>(call: ApiCall<T>): Promise<T> {
    const answer = await this.sendTo(`${this.url}${call.path}`, call);
    return this.parse(call, answer.text === "" ? undefined : readJson(call, answer), call.schema);
  }

  /** Deletes something. Succeeds when it is already gone. */
  async remove(call: Pick<ApiCall<unknown>, "path" | "scopes" | "signal">): Promise<void> {
    try {
      await this.send({ ...call, method: "DELETE", schema: z.unknown() });
    } catch (error) {
      if (!isAppError(error, "digitalocean-not-found")) throw error;
    }
  }

  /** Reads all pages. An item can be missed while others are added or removed: look it up before treating it as gone. */
  async list<T>({ key, schema, ...rest }: ListCall<T>): Promise<T[]> {
    const call = { ...rest, method: "GET", schema: pageSchema } as const;
    const items: T[] = [];
    const read = new Set<string>();
    let next: string | undefined = pageUrl(`${this.url}${call.path}`);
    while (next !== undefined) {
      if (read.has(next)) throw invalid(call, "its pages never end");
      read.add(next);
      const page = this.parse(call, readJson(call, await this.sendTo(next, call)), pageSchema);
      items.push(...this.parse(call, page[key], z.array(schema)));
      next = this.nextPage(call, page.links?.pages?.next);
    }
    return items;
  }

  /** The token is sent to no other origin than the one in the settings. */
  private nextPage(call: ApiCall<unknown>, next: string | undefined): string | undefined {
    if (next === undefined || next === "") return undefined;
    const { origin } = new URL(this.url);
    const url = URL.canParse(next, origin) ? new URL(next, origin) : undefined;
    if (url?.origin !== origin) throw invalid(call, `its next page is not at ${origin}: ${next}`);
    return url.href;
  }

  private async sendTo(url: string, call: ApiCall<unknown>): Promise<ApiAnswer> {
    for (let attempt = 1; ; attempt++) {
      await this.waitForTurn(call);
      try {
        return await this.sendOnce(url, call);
      } catch (error) {
        const pauseMs = retryPauseMs(call, error, attempt);
        if (pauseMs === undefined) throw error;
        this.log.warn({ request: nameOf(call), attempt, err: error }, "request to DigitalOcean failed");
        await this.clock.sleep(pauseMs, call.signal);
      }
    }
  }

  private async sendOnce(url: string, call: ApiCall<unknown>): Promise<ApiAnswer> {
    const { clock } = this;
    const request = nameOf(call);
    const begun = clock.now();
    const answer = await exchange(
      { url, request, method: call.method, token: this.#token, body: call.body },
      clock,
      call.signal,
    );
    this.log.debug({ request, status: answer.status, ms: clock.now() - begun }, "DigitalOcean responded");
    this.rateLimit.note(answer, clock.now());
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusalOf(
      { request, scopes: call.scopes },
      { ...answer, text: answer.text.replaceAll(this.#token, "[redacted]") },
      this.rateLimit.pauseMs(clock.now()),
    );
  }

  private async waitForTurn(call: ApiCall<unknown>): Promise<void> {
    const pauseMs = this.rateLimit.pauseMs(this.clock.now());
    if (pauseMs === 0) return;
    const seconds = Math.ceil(pauseMs / 1000);
    if (pauseMs > LONGEST_PAUSE_MS)
      throw new AppError(
        "digitalocean-rate-limited",
        { request: nameOf(call), seconds },
        { retryAfterSeconds: seconds },
      );
    await this.clock.sleep(pauseMs, call.signal);
  }

  private parse<T>(call: ApiCall<unknown>, json: unknown, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw invalid(call, z.prettifyError(parsed.error).replaceAll("\n", " "));
  }
}

/** How long to wait before the next try; undefined when there must be none. */
function retryPauseMs(call: ApiCall<unknown>, error: unknown, attempt: number): number | undefined {
  if (attempt >= MOST_TRIES) return undefined;
  // `waitForTurn` pauses before the next try.
  if (isAppError(error, "digitalocean-rate-limited")) return 0;
  if (call.method === "POST" || !isAppError(error, "digitalocean-unreachable", "digitalocean-server-error"))
    return undefined;
  return FIRST_PAUSE_MS * 2 ** (attempt - 1);
}

function nameOf({ method, path }: ApiCall<unknown>): string {
  return `${method} ${path}`;
}

function pageUrl(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}per_page=${PAGE_SIZE}`;
}

function readJson(call: ApiCall<unknown>, { text }: ApiAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(call, "it is not JSON", error);
  }
}

function invalid(call: ApiCall<unknown>, reason: string, cause?: unknown): AppError {
  return new AppError("digitalocean-answer-invalid", { request: nameOf(call), reason }, { cause });
}
