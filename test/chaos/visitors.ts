import { Agent, request } from "node:http";

export interface FailedVisit {
  readonly app: string;
  /** ms since 1970 */
  readonly beganAt: number;
  readonly endedAt: number;
  readonly why: string;
}

const ANSWER_TIMEOUT_MS = 60_000;

/** Steady requests to several apps in turn, half of them over kept connections; who failed, and when. */
export class Visitors {
  readonly failed: FailedVisit[] = [];
  sent = 0;
  private readonly agents = [new Agent({ keepAlive: true, maxSockets: 32 }), new Agent({ keepAlive: false })];
  private readonly open = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private readonly began = Date.now();

  constructor(
    private readonly port: number,
    private readonly apps: readonly string[],
    private readonly perSecond: number,
  ) {
    this.timer = setInterval(() => {
      const due = ((Date.now() - this.began) / 1000) * this.perSecond;
      while (this.sent < due) this.send();
    }, 5);
  }

  /** Resolves when every request has its answer. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.open);
    for (const agent of this.agents) agent.destroy();
  }

  private send(): void {
    const number = this.sent++;
    const app = this.apps[number % this.apps.length] ?? "";
    // Another round of the apps, another agent: each app is visited over both.
    const agent = this.agents[Math.floor(number / this.apps.length) % this.agents.length];
    const visit = this.visit(app, agent);
    this.open.add(visit);
    void visit.then(() => this.open.delete(visit));
  }

  private async visit(app: string, agent: Agent | undefined): Promise<void> {
    const beganAt = Date.now();
    const why = await problemOf(this.port, app, agent);
    if (why !== undefined) this.failed.push({ app, beganAt, endedAt: Date.now(), why });
  }
}

async function problemOf(port: number, app: string, agent: Agent | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = { host: `${app}.localhost` };
    const outgoing = request({ host: "127.0.0.1", port, path: "/", headers, agent }, (response) => {
      response.resume();
      response.on("error", (error) => resolve(error.message));
      response.on("end", () =>
        resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`),
      );
    });
    outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", (error) => resolve(error.message));
    outgoing.end();
  });
}
