import { ask } from "../../test/support/network/ask.js";
import type { HttpAnswer } from "../../test/support/running/test-sluice.js";

const VISIT_MS = 500;

export interface StickyTally {
  visitors: number;
  visits: number;
  /** Visits that another release answered, or none, and visitors who were given no cookie. */
  astray: number;
}

/** Visitors who come back twice a second with the cookie they were given, and must find the release they met first. */
export class StickyVisitors {
  readonly tally: StickyTally = { visitors: 0, visits: 0, astray: 0 };

  constructor(
    private readonly port: number,
    private readonly host: string,
    private readonly address = "127.0.0.1",
  ) {}

  /** One more visitor. Its answer lets them leave. */
  async arrive(): Promise<() => Promise<void>> {
    const first = await this.ask();
    this.tally.visitors++;
    const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0];
    if (first.status !== 200 || cookie === undefined) {
      this.tally.astray++;
      return async () => undefined;
    }
    const open = new Set<Promise<void>>();
    const timer = setInterval(() => {
      const visit: Promise<void> = this.visit(cookie, first.body).then(() => void open.delete(visit));
      open.add(visit);
    }, VISIT_MS);
    return async () => {
      clearInterval(timer);
      await Promise.all(open);
    };
  }

  private async ask(more: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return ask(`${this.address}:${this.port}`, { path: "/", headers: { host: this.host, ...more } });
  }

  private async visit(cookie: string, expected: string): Promise<void> {
    const body = await this.ask({ cookie }).then(
      (answer) => answer.body,
      () => "",
    );
    this.tally.visits++;
    if (body !== expected) this.tally.astray++;
  }
}
