import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { z } from "zod";
import { problemSchema } from "../../core/api/problem.js";
import { AppError } from "../../core/errors/app-error.js";
import type { Context } from "../start/context.js";
import { checkAnswer } from "./check-answer.js";
import { openRequest, remoteUrl } from "./open-request.js";
import { RemoteError } from "./remote-error.js";

/** Fields of a server-sent event, as our server writes them: one line each. */
const [ID, DATA] = ["id: ", "data: "];

/** What the lines of a stream are, and what its last one says was done. */
export interface StreamShape<Line, Done> {
  readonly line: z.ZodType<Line, Line>;
  readonly done: z.ZodType<Done, Done>;
}

/** The server's API, as the verbs use it: on this machine, with the admin token of the state folder; else at SLUICE_URL, with SLUICE_TOKEN. */
export class Client {
  constructor(private readonly context: Context) {}

  /**
   * Sends JSON, returns the answer (undefined for 204). Throws `not-running`, `connection-lost`, `answer-unreadable`, or what
   * the server says.
   */
  async call<T>(method: string, path: string, answer: z.ZodType<T, T>, body?: unknown): Promise<T> {
    const request = `${method} ${path}`;
    const response = await this.open(method, path, body);
    const text = await readAll(response).catch((error: unknown) => {
      throw new AppError("connection-lost", {}, { cause: error });
    });
    const value = text === "" ? undefined : parseJson(text, request);
    refuseProblem(value, response, request);
    return checkAnswer(answer, value, request);
  }

  /** For what is answered with nothing. */
  async send(method: string, path: string, body?: unknown): Promise<void> {
    await this.call(method, path, z.unknown(), body);
  }

  /** Reads an answer of a line per event. Throws as `call` does; `connection-lost` when the last line does not come. */
  async stream<Line, Done>(
    method: string,
    path: string,
    { line, done }: StreamShape<Line, Done>,
    onLine: (line: Line) => void,
    body?: unknown,
  ): Promise<Done> {
    const request = `${method} ${path}`;
    const response = await this.open(method, path, body);
    for await (const text of linesOf(response)) {
      const value = parseJson(text, request);
      refuseProblem(value, response, request);
      if (typeof value === "object" && value !== null && "done" in value)
        return checkAnswer(done, value.done, request);
      onLine(checkAnswer(line, value, request));
    }
    throw new AppError("connection-lost", {});
  }

  /**
   * Reads server-sent events until the server ends them: their data, or only the id to resume after. Throws as `call` does.
   */
  async *events<T>(
    path: string,
    data: z.ZodType<T, T>,
  ): AsyncGenerator<{ readonly id: string } | { readonly data: T }> {
    const request = `GET ${path}`;
    const response = await this.open("GET", path, undefined);
    if (response.statusCode !== 200)
      refuseProblem(parseJson(await readAll(response), request), response, request);
    for await (const line of linesOf(response)) {
      if (line.startsWith(ID)) yield { id: line.slice(ID.length) };
      if (line.startsWith(DATA))
        yield { data: checkAnswer(data, parseJson(line.slice(DATA.length), request), request) };
    }
  }

  private async open(method: string, path: string, body: unknown): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return openRequest(this.context, { method, path, token: await this.token(), text });
  }

  private async token(): Promise<string> {
    const { settings, home, env } = this.context;
    if (settings.token !== undefined && settings.token !== "") return settings.token;
    // This machine's own token is nobody else's affair.
    if (remoteUrl(env) !== undefined) throw new AppError("token-missing", {});
    try {
      return (await readFile(home.token(), "utf8")).trim();
    } catch (error) {
      throw new AppError("not-running", { home: home.root }, { cause: error });
    }
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: response });
  } catch (error) {
    throw new AppError("connection-lost", {}, { cause: error });
  }
}

function parseJson(text: string, request: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("answer-unreadable", { request, problem: "it is not JSON" }, { cause: error });
  }
}

function refuseProblem(value: unknown, { statusCode = 0 }: IncomingMessage, request: string): void {
  const { success, data } = problemSchema.safeParse(value);
  if (success) throw new RemoteError(data.error.code, data.error.message, data.error.hint);
  if (statusCode >= 400)
    throw new AppError("answer-unreadable", { request, problem: `status ${statusCode} without a reason` });
}
