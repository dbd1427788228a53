import { expect } from "chai";
import { createServer, type Server } from "node:http";
import { noTraffic, percentileMs, sumOf, type Traffic } from "../../../core/records/traffic.js";
import { increments, type Baseline } from "../../../proxy/increments.js";
import type { AppRoutes } from "../../../proxy/proxy.js";
import { eventually } from "../../support/eventually.js";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";

export function countsTraffic(trial: ProxyTrial): void {
  let web: AnsweringServer;
  beforeEach(async () => (web = await AnsweringServer.start()));
  afterEach(async () => web.stop());

  it("counts requests, answers by status, failures and bytes of a release and its track", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    await trial.apply("b", routesTo("b", 1, web.address));
    for (const path of ["/200", "/200", "/200", "/302", "/404", "/404", "/500"]) await trial.get("a", path);
    await trial.get("b", "/404");
    await trial.post("a", "/drop", "once");
    const book = new Book(trial.proxy);
    await eventually("the failure is counted", async () => (await book.of("a/v1")).failed === 1);
    const { latencies, bytes, ...figures } = await book.of("a/v1");
    expect(figures).to.deep.equal({
      requests: 8,
      answersOk: 4,
      answers4xx: 2,
      answers5xx: 1,
      failed: 1,
      visitors: 0,
      goals: 0,
    });
    expect(bytes).to.be.at.least(7 * "answer".length);
    expect(Object.values(latencies).reduce((sum, answers) => sum + answers, 0)).to.equal(7);
    expect(await book.of("b/v1")).to.include({ requests: 1, answers4xx: 1, failed: 0 });
    expect([...book.tracks]).to.deep.equal(["production"]);
  });

  it("counts a request that a dead instance refuses as failed", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    await trial.get("a", "/200");
    await web.stop();
    expect((await trial.get("a", "/200")).status).to.equal(503);
    const book = new Book(trial.proxy);
    await eventually("the failure is counted", async () => (await book.of("a/v1")).failed === 1);
    expect(await book.of("a/v1")).to.include({ requests: 2, answersOk: 1, answers5xx: 0, failed: 1 });
  });

  it("tells how long an answer took, to a tenth", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    await trial.get("a", "/slow?ms=400");
    const ms = percentileMs(await new Book(trial.proxy).of("a/v1"), 0.5) ?? 0;
    expect(ms).to.be.within(360, 440);
  });
}

/** Adds up what a proxy counts, as whoever asks again and again does. */
export class Book {
  readonly tracks = new Set<string>();
  private readonly sums = new Map<string, Traffic>();
  private readonly baseline = { counters: new Map(), slots: new Map() } satisfies Baseline;

  constructor(private readonly proxy: { counts: ProxyTrial["proxy"]["counts"] }) {}

  /** All of a release so far. */
  async of(release: string): Promise<Traffic> {
    await this.look(true);
    return this.sums.get(release) ?? noTraffic();
  }

  async look(all: boolean): Promise<void> {
    const { traffic, changed, gone } = increments(await this.proxy.counts(all), this.baseline, all);
    for (const one of traffic) {
      const name = `${one.app}/${one.release}`;
      this.tracks.add(one.track);
      this.sums.set(name, sumOf([this.sums.get(name) ?? noTraffic(), one]));
    }
    for (const kind of ["counters", "slots"] as const) {
      for (const [name, mark] of changed[kind]) this.baseline[kind].set(name, mark);
      for (const name of gone[kind]) this.baseline[kind].delete(name);
    }
  }
}

/** Answers the status that the path names; `/drop` none, `/slow?ms=N` late. */
export class AnsweringServer {
  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<AnsweringServer> {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://x");
      if (url.pathname === "/drop") request.socket.destroy();
      else if (url.pathname === "/slow")
        setTimeout(() => response.end("answer"), Number(url.searchParams.get("ms")));
      else response.writeHead(Number(url.pathname.slice(1)) || 200).end("answer");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return new AnsweringServer(
      server,
      `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    );
  }

  /** Can be asked for twice. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

export function routesTo(app: string, release: number, address: string): AppRoutes {
  const routes = routesOf(app, { live: release, releases: { [release]: [] } });
  const releases = [...routes.releases].map(
    ([key, one]) => [key, { ...one, servers: new Map([[`${app}.v${release}.web.1:1`, address]]) }] as const,
  );
  return { ...routes, releases: new Map(releases) };
}
