import { Agent, request } from "node:http";
import { wallClock } from "../machine/wall-clock.js";

const EVERY_MS = 5;

/** One request's end, on the wall clock. A status of 0: no answer came. */
export interface SeenStatus {
  readonly at: number;
  readonly status: number;
}

/** Asks for one address every 5 ms over kept connections, whether or not earlier requests are answered, until `stop`. */
export class Statuses {
  /** In the order of the answers. */
  readonly seen: SeenStatus[] = [];
  private readonly agent = new Agent({ keepAlive: true });
  private readonly open = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly port: number,
    private readonly host: string,
    private readonly path: string,
  ) {
    this.timer = setInterval(() => this.send(), EVERY_MS);
  }

  async stop(): Promise<readonly SeenStatus[]> {
    clearInterval(this.timer);
    await Promise.all(this.open);
    this.agent.destroy();
    return this.seen;
  }

  private send(): void {
    const open: Promise<void> = this.ask().then((status) => {
      this.seen.push({ at: wallClock(), status });
      this.open.delete(open);
    });
    this.open.add(open);
  }

  private async ask(): Promise<number> {
    const { port, host, path, agent } = this;
    return new Promise((resolve) => {
      const outgoing = request({ host: "127.0.0.1", port, path, headers: { host }, agent });
      outgoing.once("response", (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", () => resolve(0));
      });
      outgoing.once("error", () => resolve(0));
      outgoing.end();
    });
  }
}
