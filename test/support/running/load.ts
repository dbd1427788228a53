import { Agent, request } from "node:http";

export interface LoadReport {
  readonly sent: number;
  /** One line per request that failed: when (ms since the start) and why. */
  readonly failures: readonly string[];
  /** Value of `sluice-release` → how many answers carried it. */
  readonly releases: ReadonlyMap<string, number>;
  /** Of all requests, those that failed included. */
  readonly slowestMs: number;
}

/** Steady requests at a fixed rate until `stop`, alternately over kept and new connections. */
export function startLoad(
  port: number,
  host: string,
  path = "/",
  perSecond = 200,
  address = "127.0.0.1",
): { stop(): Promise<LoadReport> } {
  const agents = [new Agent({ keepAlive: true, maxSockets: 32 }), new Agent({ keepAlive: false })];
  const failures: string[] = [];
  const releases = new Map<string, number>();
  const open = new Set<Promise<void>>();
  const began = Date.now();
  let sent = 0;
  let slowestMs = 0;
  const timer = setInterval(() => {
    // A late timer catches up: the rate is what is asked for, not what the event loop allows.
    const due = Math.floor(((Date.now() - began) / 1000) * perSecond);
    while (sent < due) send();
  }, 5);
  function send(): void {
    const agent = agents[sent++ % agents.length];
    const start = Date.now();
    const one = new Promise<void>((resolve) => {
      const fail = (why: string): void => {
        failures.push(`${Date.now() - began} ms: ${why}`);
        resolve();
      };
      const outgoing = request(
        { host: address, port, path, agent, headers: { host: `${host}.localhost` } },
        (response) => {
          response.resume();
          response.on("end", () => {
            if (response.statusCode !== 200) {
              fail(`status ${response.statusCode}`);
              return;
            }
            const release = String(response.headers["sluice-release"]);
            releases.set(release, (releases.get(release) ?? 0) + 1);
            resolve();
          });
          response.on("error", (error) => fail(error.message));
        },
      );
      outgoing.on("error", (error) => fail(error.message));
      outgoing.end();
    });
    open.add(one);
    void one.then(() => {
      open.delete(one);
      slowestMs = Math.max(slowestMs, Date.now() - start);
    });
  }
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      for (const agent of agents) agent.destroy();
      return { sent, failures, releases, slowestMs };
    },
  };
}
