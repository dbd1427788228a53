import { readFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { AppError } from "../../core/errors/app-error.js";
import type { Context } from "../start/context.js";

/** What the server said was wrong, passed on as it is. */
export class RemoteError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** The server's API, as the verbs use it: on this machine, with the admin token of the state folder. */
export class Client {
  constructor(private readonly context: Context) {}

  /** Sends JSON, answers the parsed JSON (undefined for 204). Throws `not-running` or what the server says. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.open(method, path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const value: unknown = response.statusCode === 204 ? undefined : JSON.parse(text);
    refuseError(value);
    // The shapes are the server's own: both come from one build.
    return value as T;
  }

  /** Reads an answer of a line per event; answers what came with `done`. Throws `connection-lost` when that does not come. */
  async stream(
    method: string,
    path: string,
    body: unknown,
    onLine: (line: Record<string, unknown>) => void,
  ): Promise<unknown> {
    const response = await this.open(method, path, body);
    for await (const text of linesOf(response)) {
      const value = JSON.parse(text) as Record<string, unknown>;
      refuseError(value);
      if ("done" in value) return value["done"];
      onLine(value);
    }
    throw new AppError("connection-lost", {});
  }

  private async open(method: string, path: string, body: unknown): Promise<IncomingMessage> {
    const { settings, home } = this.context;
    const token = await this.token();
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: settings.bind === "0.0.0.0" ? "127.0.0.1" : settings.bind,
        port: settings.controlPort,
        path,
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(text === undefined ? {} : { "content-type": "application/json" }),
        },
      });
      outgoing.once("response", resolve);
      outgoing.once("error", (error) =>
        reject(new AppError("not-running", { home: home.root }, { cause: error })),
      );
      outgoing.end(text);
    });
  }

  private async token(): Promise<string> {
    const { settings, home } = this.context;
    if (settings.token !== undefined && settings.token !== "") return settings.token;
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

function refuseError(value: unknown): void {
  if (typeof value !== "object" || value === null || !("error" in value)) return;
  const error = value.error as { code: string; message: string; hint: string };
  throw new RemoteError(error.code, error.message, error.hint);
}
