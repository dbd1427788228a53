import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { Log } from "../../core/log.js";
import { LinePrinter } from "./line-printer.js";

export interface RefUpdate {
  /** Object ids; 40 zeros where there is none. */
  readonly before: string;
  readonly after: string;
  readonly ref: string;
}

/** What a Git hook on the server asks. */
export interface HookRequest {
  readonly hook: "pre-receive" | "post-receive";
  readonly updates: readonly RefUpdate[];
  /** Push options (`git push -o`). */
  readonly options: readonly string[];
  /** GIT_QUARANTINE_PATH and the like, as git set them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Answers a hook: prints lines to the pusher, then gives the hook's exit status. */
export interface HookAnswerer {
  answer(request: HookRequest, print: (line: string) => void): Promise<number>;
  /** The hook went away before it had its answer. */
  interrupt(): void;
}

const LONGEST_REQUEST = 4 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * How `hooks/pre-receive` and `hooks/post-receive` speak to the server: a port on the loopback, a secret per push, lines.
 * To the server: `HOOK TOKEN`, then `update OLD NEW REF`, `option TEXT`, `env NAME=VALUE` in any order, then an empty line.
 * To the hook: `| TEXT` to print, then `exit STATUS`.
 */
export class HookChannel {
  private readonly answerers = new Map<string, HookAnswerer>();

  private constructor(
    private readonly server: Server,
    private readonly log: Log,
  ) {}

  static async open(log: Log): Promise<HookChannel> {
    const server = createServer();
    const channel = new HookChannel(server, log);
    server.on("connection", (socket) => {
      channel.serve(socket).catch((error: unknown) => {
        log.warn({ err: error }, "hook connection");
        socket.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return channel;
  }

  /** The environment by which the hooks of one push reach `answerer`; it is known until `forget`. */
  register(answerer: HookAnswerer): {
    readonly token: string;
    readonly env: Readonly<Record<string, string>>;
  } {
    const token = randomBytes(16).toString("hex");
    this.answerers.set(token, answerer);
    const address = this.server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return { token, env: { SLUICE_HOOK_PORT: String(port), SLUICE_HOOK_TOKEN: token } };
  }

  forget(token: string): void {
    this.answerers.delete(token);
  }

  close(): void {
    this.server.close();
  }

  private async serve(socket: Socket): Promise<void> {
    socket.on("error", () => undefined);
    const found = await this.readRequest(socket);
    if (found === undefined) {
      socket.end("|  !     This hook does not belong to a push in progress.\nexit 1\n");
      return;
    }
    const { request, answerer } = found;
    let answered = false;
    socket.on("close", () => {
      if (!answered) answerer.interrupt();
    });
    const printer = new LinePrinter(socket);
    const status = await answerer.answer(request, (line) => printer.print(line));
    answered = true;
    printer.end(`exit ${status}\n`);
  }

  private async readRequest(
    socket: Socket,
  ): Promise<{ request: HookRequest; answerer: HookAnswerer } | undefined> {
    const lines = await requestLines(socket);
    const [hook, token = ""] = (lines[0] ?? "").split(" ");
    const answerer = this.answerers.get(token);
    if (answerer === undefined || (hook !== "pre-receive" && hook !== "post-receive")) {
      this.log.warn({ hook }, "a hook called without a push");
      return undefined;
    }
    return { request: parseRequest(hook, lines.slice(1)), answerer };
  }
}

export function parseRequest(hook: HookRequest["hook"], lines: readonly string[]): HookRequest {
  const updates: RefUpdate[] = [];
  const options: string[] = [];
  const environment: Record<string, string> = {};
  for (const line of lines) {
    const [kind, rest] = splitOnce(line, " ");
    if (kind === "option") options.push(rest);
    if (kind === "env") environment[splitOnce(rest, "=")[0]] = splitOnce(rest, "=")[1];
    if (kind === "update") {
      const [before = "", after = "", ref = ""] = rest.split(" ");
      updates.push({ before, after, ref });
    }
  }
  return { hook, updates, options, environment };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Lines up to the first empty one. */
async function requestLines(socket: Socket): Promise<string[]> {
  let text = "";
  socket.setEncoding("utf8");
  socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
  return new Promise((resolve, reject) => {
    const onData = (chunk: string): void => {
      text += chunk;
      const end = text.indexOf("\n\n", text.length - chunk.length - 1);
      if (end < 0 && text.length > LONGEST_REQUEST)
        socket.destroy(new Error("the hook's request is too long"));
      if (end < 0) return;
      socket.off("data", onData);
      socket.setTimeout(0);
      // Read on, or its end would not be seen.
      socket.resume();
      resolve(text.slice(0, end).split("\n"));
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error("the hook's request ended early")));
  });
}
