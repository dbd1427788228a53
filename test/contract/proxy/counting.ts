import { expect } from "chai";
import { createServer, type Server } from "node:http";
import { noTraffic, percentileMs, sumOf, type Traffic } from "../../../core/records/traffic/traffic.js";
import { increments, type Baseline } from "../../../proxy/increments.js";
import type { AppRoutes } from "../../../proxy/proxy.js";
import { eventually } from "../../support/eventually.js";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";
import { cookieOf, splitRoutes } from "./split-app.js";

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
      ...{ visitorsWithErrors: 0, visitorsWithManyErrors: 0, visitorsOverP90: 0, visitorsOverP99: 0 },
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

  it("counts who asks for a release apart, by its own host or by the header, with all that comes of it", async () => {
    await trial.apply("a", splitRoutes({ production: web, canary: web, share: 100 }));
    const byHeader = { "x-client-mode": "green" };
    const cookie = "sluice=canary.v2";
    for (const path of ["/200", "/404", "/500"]) {
      await trial.get("a", path, { cookie });
      await trial.get("a", path, byHeader);
      await trial.get("v2.a", path);
      await trial.get("v2.a", path, { cookie });
      expect(cookieOf(await trial.get("canary.a", path))).to.equal(undefined);
      await trial.get("canary.a", path, { cookie });
    }
    await trial.get("a", "/200", { "x-client-mode": "blue", cookie });
    for (const headers of [byHeader, { cookie }, byHeader])
      await trial.ask({ path: "/drop", method: "POST", headers: { host: "a.localhost", ...headers } });
    const book = new Book(trial.proxy);
    await eventually("the failures are counted", async () => (await book.of("a/v2")).failed === 3);
    const each = { answersOk: 1, answers4xx: 1, answers5xx: 1, visitors: 0 };
    expect(await book.of("a/v2", false)).to.include({ ...each, requests: 4, failed: 1 });
    const asked = { answersOk: 5, answers4xx: 5, answers5xx: 5, visitors: 0 };
    expect(await book.of("a/v2", true)).to.include({ ...asked, requests: 17, failed: 2 });
    expect(Object.values((await book.of("a/v2", true)).latencies).reduce((sum, n) => sum + n, 0)).to.equal(
      15,
    );
    expect(await book.of("a/v1", true)).to.include({ requests: 1, answersOk: 1 });
    expect(await book.of("a/v1", false)).to.include({ requests: 0 });
  });

  it("tells whose requests a dead instance has refused", async () => {
    await trial.apply("a", splitRoutes({ production: web, canary: web, share: 100 }));
    await trial.get("a", "/200", { cookie: "sluice=canary.v2" });
    await trial.get("v2.a", "/200");
    await web.stop();
    expect((await trial.get("v2.a", "/200")).status).to.equal(503);
    const book = new Book(trial.proxy);
    await eventually("the failure is counted", async () => (await book.of("a/v2")).failed === 1);
    expect(await book.of("a/v2", true)).to.include({ requests: 2, answersOk: 1, failed: 1 });
    expect(await book.of("a/v2", false)).to.include({ requests: 1, answersOk: 1, failed: 0 });
  });

  it("tells how long an answer took, to a tenth", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    const askedAt = performance.now();
    await trial.get("a", "/slow?ms=400");
    const tookMs = performance.now() - askedAt;
    const ms = percentileMs(await new Book(trial.proxy).of("a/v1"), 0.5) ?? 0;
    expect(ms).to.be.within(0.9 * 400, 1.1 * tookMs);
  });
}

/** Adds up what a proxy counts, as whoever asks again and again does. */
export class Book {
  readonly tracks = new Set<string>();
  private readonly sums = new Map<string, Traffic>();
  private readonly baseline = { counters: new Map(), slots: new Map() } satisfies Baseline;

  constructor(private readonly proxy: { counts: ProxyTrial["proxy"]["counts"] }) {}

  /** A release's so far: of whoever asked for it, of all others, or all. */
  async of(release: string, asked?: boolean): Promise<Traffic> {
    await this.look(true);
    const kinds = asked === undefined ? [true, false] : [asked];
    return sumOf(kinds.map((kind) => this.sums.get(nameOf(release, kind)) ?? noTraffic()));
  }

  async look(all: boolean): Promise<void> {
    const { traffic, changed, gone } = increments(await this.proxy.counts(all), this.baseline, all);
    for (const one of traffic) {
      const name = nameOf(`${one.app}/${one.release}`, one.asked === true);
      this.tracks.add(one.track);
      this.sums.set(name, sumOf([this.sums.get(name) ?? noTraffic(), one]));
    }
    for (const kind of ["counters", "slots"] as const) {
      for (const [name, mark] of changed[kind]) this.baseline[kind].set(name, mark);
      for (const name of gone[kind]) this.baseline[kind].delete(name);
    }
  }
}

function nameOf(release: string, asked: boolean): string {
  return `${release}${asked ? " asked" : ""}`;
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
