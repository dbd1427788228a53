import { Agent, request, type IncomingMessage } from "node:http";
import { wallClock } from "../machine/wall-clock.js";
import type { Answer } from "./answer.js";

export interface LoadOptions {
  /** Default: this machine's. */
  readonly address?: string;
  readonly port: number;
  readonly host: string;
  readonly perSecond: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Requests on a fixed schedule, whether or not earlier ones are answered (open loop): a stall is seen by all that fall into
 * it. In turns over kept and new connections. No request is sent twice.
 */
export class LoadGenerator {
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 1000 });
  private readonly began = wallClock();
  private readonly answers: Answer[] = [];
  private readonly open = new Set<Promise<void>>();
  private sent = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: LoadOptions) {
    this.sendDue();
  }

  /** Stops; answers when the last request has been answered. */
  async stop(): Promise<Answer[]> {
    clearTimeout(this.timer);
    await Promise.all(this.open);
    this.agent.destroy();
    return this.answers;
  }

  private sendDue(): void {
    const intervalMs = 1000 / this.options.perSecond;
    let due = this.began + this.sent * intervalMs;
    for (; due <= wallClock(); due += intervalMs) this.send(due, this.sent++ % 2 === 0 ? "kept" : "new");
    this.timer = setTimeout(() => this.sendDue(), Math.max(0, due - wallClock()));
  }

  private send(at: number, connection: Answer["connection"]): void {
    const asked = this.ask(connection).then(
      (found) => this.answers.push({ at, ms: wallClock() - at, connection, ...found }),
      (error: unknown) =>
        this.answers.push({ at, ms: wallClock() - at, connection, problem: errorName(error) }),
    );
    const open: Promise<void> = asked.then(() => void this.open.delete(open));
    this.open.add(open);
  }

  private async ask(connection: Answer["connection"]): Promise<Pick<Answer, "release" | "problem">> {
    const { address = "127.0.0.1", port, host } = this.options;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: address,
          port,
          headers: { host },
          agent: connection === "kept" ? this.agent : false,
          timeout: TIMEOUT_MS,
        },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (body += chunk));
          response.once("error", reject);
          response.once("end", () => resolve(judge(response, body)));
        },
      );
      outgoing.once("timeout", () => outgoing.destroy(new Error("no answer in time")));
      outgoing.once("error", reject);
      outgoing.end();
    });
  }
}

/** The tiny app answers `v3 web.1`; the proxy's header must name the same release. */
function judge(response: IncomingMessage, body: string): Pick<Answer, "release" | "problem"> {
  const release = /^v(\d+) web\.\d+$/.exec(body)?.[1];
  if (response.statusCode !== 200) return { problem: `status ${response.statusCode ?? 0}` };
  if (release === undefined) return { problem: "wrong body" };
  if (response.headers["sluice-release"] !== `v${release}`) return { problem: "wrong sluice-release" };
  return { release: Number(release) };
}

function errorName(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.message;
}
