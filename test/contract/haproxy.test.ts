import { expect } from "chai";
import fc from "fast-check";
import { Agent } from "node:http";
import { isAppError } from "../../core/errors/app-error.js";
import { paths } from "../../proxy/haproxy/config/paths.js";
import { Haproxy } from "../../proxy/haproxy/haproxy.js";
import type { AppRoutes, Guard } from "../../proxy/proxy.js";
import { eventually } from "../support/eventually.js";
import { FakeRoutes, given } from "../support/fakes/fake-routes.js";
import { startLoad } from "../support/running/load.js";
import type { Upstream } from "../support/network/upstream.js";
import { proxyContract } from "./proxy-contract.js";
import { ProxyTrial, routesOf, type Wanted } from "./proxy/proxy-trial.js";
import { RunningHaproxy } from "./proxy/running-haproxy.js";
import { shapeOf, withoutTicket } from "./proxy/split-app.js";

proxyContract("HAProxy", async () => RunningHaproxy.start());

describe("HAProxy", function () {
  this.timeout(180_000);
  const trial = new ProxyTrial(async () => RunningHaproxy.start());
  let one: Upstream;
  let two: Upstream;
  beforeEach(async () => {
    await trial.begin();
    [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
  });
  afterEach(async () => trial.end());

  it("needs no reload for releases and apps, however many come and go", async () => {
    const worker = await trial.running.worker();
    const upstreams = [one, two];
    for (let number = 1; number <= 60; number++) {
      const releases = { [number]: [upstreams[number % 2] ?? one], [number + 1]: [one, two] };
      await trial.apply("a", routesOf("a", { live: number, releases, sticky: [number] }));
      await trial.apply(`b${number}`, routesOf(`b${number}`, { live: 1, releases: { 1: [one] } }));
      await trial.apply(`b${number - 5}`, undefined);
    }
    expect((await trial.get("a")).headers["sluice-release"]).to.equal("v60");
    expect(await trial.running.worker()).to.equal(worker);
    const proxies = await (await trial.running.again()).apps();
    expect([...proxies]).to.have.members(["a", "b56", "b57", "b58", "b59", "b60"]);
  });

  it("makes slots by a reload that nobody notices when they run out, and counts in its old process too", async () => {
    const worker = await trial.running.worker();
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one], 2: [two] } }));
    const socket = await trial.upgraded("a");
    const load = startLoad(trial.running.port, "a", "/?ms=20");
    for (let app = 0; app < 40; app++)
      await trial.apply(`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [two] } }));
    expect(await trial.running.worker()).not.to.equal(worker);
    expect((await load.stop()).failures).to.deep.equal([]);
    expect(await socket.echo("unhurt")).to.equal("v1");
    await eventually("nothing else is open", async () => (await trial.connectionsTo("a/v1")) === 1);
    const more = await trial.upgraded("a");
    expect(await trial.connectionsTo("a/v1")).to.equal(2);
    for (let app = 0; app < 40; app++) expect((await trial.get(`b${app}`)).body).to.equal("v2");
    socket.close();
    more.close();
    await eventually("nothing is open", async () => (await trial.connectionsTo("a/v1")) === 0);
  });

  it("does what is wanted over any history, and would start at every moment with just what runs", async () => {
    const upstreams = [one, two, await trial.upstream("v3", { socket: true })];
    await fc.assert(
      fc.asyncProperty(historyOf(upstreams), async (history) => {
        const wanted = new FakeRoutes();
        for (const app of ["a", "b"]) await trial.apply(app, undefined);
        for (const { app, routes, fallback } of history) {
          wanted.change(new Map([[app, routes]]), fallback);
          await trial.apply(app, routes, fallback);
          expect(await answers(), "at once").to.deep.equal(expected(wanted));
          await trial.running.restart();
          expect(await answers(), "after a restart").to.deep.equal(expected(wanted));
          const files = await trial.running.files();
          await trial.apply(app, routes, fallback);
          expect(await trial.running.files(), "told again").to.deep.equal(files);
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it("takes a server out when its last connection has closed, and gives its slot to no other release before", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const slot = await slotOf("a/v1");
    const socket = await trial.upgraded("a");
    await trial.apply("a", routesOf("a", { live: 2, releases: { 2: [two] } }));
    for (let app = 0; app < 20; app++)
      await trial.apply(`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [two] } }));
    await trial.proxy.sweep();
    expect(await serversIn(slot)).to.include(one.address);
    expect(await socket.echo("still")).to.equal("v1");
    socket.close();
    await eventually("it is swept away", async () => {
      await trial.proxy.sweep();
      return !(await serversIn(slot)).includes(one.address);
    });
    for (let app = 20; app < 30; app++)
      await trial.apply(`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [two] } }));
    for (let app = 0; app < 30; app++) expect((await trial.get(`b${app}`)).body).to.equal("v2");
  });

  it("takes leaving servers over from a driver that is no more", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one, two] } }));
    const slot = await slotOf("a/v1");
    const sockets = [await trial.upgraded("a"), await trial.upgraded("a")];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [two] } }));
    const again = await trial.running.again();
    await again.sweep();
    expect(await serversIn(slot)).to.have.members([one.address, two.address]);
    for (const socket of sockets) socket.close();
    await eventually("one has left", async () => {
      await again.sweep();
      return !(await serversIn(slot)).includes(one.address);
    });
    expect(await serversIn(slot)).to.deep.equal([two.address]);
    expect((await trial.get("a")).body).to.equal("v2");
  });

  it("serves a release with more servers than there are places in its slot", async () => {
    const upstreams = await Promise.all(
      Array.from({ length: 7 }, async (_, index) => trial.upstream(`w${index}`)),
    );
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams } }));
    const answers = await Promise.all(Array.from({ length: 28 }, async () => trial.get("a", "/?ms=50")));
    expect(new Set(answers.map(({ body }) => body)).size).to.equal(7);
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams.slice(5) } }));
    await eventually("the others are swept away", async () => {
      await trial.proxy.sweep();
      expect(await serversIn(await slotOf("a/v1"))).to.have.members(
        upstreams.slice(5).map(({ address }) => address),
      );
      return true;
    });
    await trial.running.restart();
    expect((await trial.get("a")).body).to.match(/^w[56]$/);
  });

  it("counts on more releases than fit in one line of commands", async () => {
    const numbers = Array.from({ length: 500 }, (_, index) => index + 1);
    const releases = Object.fromEntries(numbers.map((number) => [number, [one]]));
    await trial.apply("a", routesOf("a", { live: 1, releases }));
    const socket = await trial.upgraded("v500.a");
    const loads = await trial.proxy.loads(numbers.map((number) => `a/v${number}`));
    expect(loads.size).to.equal(500);
    expect(
      [...loads].filter(([, { connections }]) => connections > 0).map(([release]) => release),
    ).to.deep.equal(["a/v500"]);
    socket.close();
  });

  it("refuses names that could end a command or begin another, and goes on as it was", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const files = await trial.running.files();
    const good = routesOf("b", { live: 1, releases: { 1: [one] } });
    const release = { track: "production", sticky: false, asleep: false };
    const withServer = (name: string, address: string): AppRoutes => ({
      ...good,
      releases: new Map([["b/v1", { ...release, servers: new Map([[name, address]]) }]]),
    });
    const refused = async (routes: AppRoutes, what: string): Promise<void> => {
      const error: unknown = await trial.apply("b", routes).catch((reason: unknown) => reason);
      expect(isAppError(error, "haproxy-refused"), `${JSON.stringify(what)}: ${String(error)}`).to.equal(
        true,
      );
      expect(await trial.running.files(), JSON.stringify(what)).to.deep.equal(files);
    };
    for (const hostile of [
      "a;shutdown sessions server x",
      "a\nshow info",
      "a b",
      "a#b",
      'a"b',
      "a\\b",
      "é",
    ]) {
      await refused({ ...good, hosts: new Map([[hostile, "b/production"]]) }, hostile);
      await refused({ ...good, hosts: new Map([["b.localhost", `b/${hostile}`]]) }, hostile);
      await refused({ ...good, tracks: new Map([[`b/${hostile}`, "b/v1"]]) }, hostile);
      await refused(withServer(hostile, "unix@/tmp/b.sock"), hostile);
      await refused(withServer("b.v1.web.1", `unix@/tmp/${hostile}`), hostile);
      await refused(withServer("b.v1.web.1", `127.0.0.1:${hostile}`), hostile);
    }
    for (const host of ["", "-a"]) await refused({ ...good, hosts: new Map([[host, "b/production"]]) }, host);
    for (const address of ["127.0.0.1:", "127.0.0.1", ":80", "unix@", "unix@relative", ""])
      await refused(withServer("b.v1.web.1", address), address);
    expect((await trial.get("a")).body).to.equal("v1");
    await trial.apply("b", good);
    expect((await trial.get("b")).body).to.equal("v1");
  });

  it("uses its connections to an instance again", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let index = 0; index < 50; index++) await trial.ask({ headers: { host: "a.localhost" }, agent });
    agent.destroy();
    const [header = "", row = ""] = (await trial.running.ask(`show stat ${await slotOf("a/v1")} 4 -1`)).split(
      "\n",
    );
    const columns = header.split(",");
    const [connects, reuses] = ["connect", "reuse"].map((name) =>
      Number(row.split(",")[columns.indexOf(name)]),
    );
    expect(connects).to.be.lessThan(5);
    expect(reuses).to.be.greaterThan(45);
  });

  it("repeats a GET that the only instance drops a few times, no more: it may be what kills it", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    expect((await trial.get("a", "/hang-up")).status).to.equal(502);
    expect(one.requests).to.be.within(2, 4);
  });

  it("makes as many slots as its open files allow; beyond that it refuses, and all else goes on", async () => {
    const small = new ProxyTrial(async () => RunningHaproxy.start({ openFiles: 900 }));
    await small.begin();
    try {
      const manyApps = (from: number, count: number): Map<string, AppRoutes> =>
        new Map(
          Array.from({ length: count }, (_, index) => {
            const app = `b${from + index}`;
            return [app, routesOf(app, { live: 1, releases: { 1: [one] } })];
          }),
        );
      await small.proxy.apply(manyApps(0, 100), undefined);
      const before = await small.running.files();
      const error: unknown = await small.proxy
        .apply(manyApps(100, 400), undefined)
        .catch((reason: unknown) => reason);
      expect(isAppError(error, "haproxy-refused"), String(error)).to.equal(true);
      expect(await small.running.files()).to.deep.equal(before);
      await small.proxy.apply(manyApps(0, 101), undefined);
      await small.running.restart();
      for (const app of ["b0", "b99", "b100"]) expect((await small.get(app)).body).to.equal("v1");
    } finally {
      await small.end();
    }
  });

  it("says so when it is not there", async () => {
    const folder = `${trial.running.folder}/nowhere`;
    const gone = new Haproxy({
      folder,
      bind: "127.0.0.1",
      port: 1,
      domain: "localhost",
      openFiles: 100,
    });
    const error: unknown = await gone.apps().catch((reason: unknown) => reason);
    expect(isAppError(error, "haproxy-refused"), String(error)).to.equal(true);
  });

  async function slotOf(release: string): Promise<string> {
    const map = await trial.running.ask(`show map ${paths.map(trial.running.folder, "slots")}`);
    const entry = map.split("\n").find((line) => line.includes(` ${release} `)) ?? "";
    return entry.split(" ")[2]?.split("|")[1] ?? "";
  }

  /** Addresses of the servers in a slot that lead somewhere. */
  async function serversIn(slot: string): Promise<string[]> {
    const [, , ...lines] = (await trial.running.ask(`show servers state ${slot}`)).split("\n");
    const servers = lines.map((line) => line.split(" ")).filter((fields) => fields.length > 18);
    return servers
      .map((fields) => `${fields[4] ?? ""}:${fields[18] ?? ""}`)
      .filter((address) => !address.endsWith(":1"));
  }

  async function answers(): Promise<string[]> {
    const seen = QUESTIONS.map(async (headers) => {
      const answer = await trial.ask({ headers });
      const release = String(answer.headers["sluice-release"]);
      return `${Object.values(headers).join(" ")}: ${answer.status} ${release} ${String(shapeOf(answer))}`;
    });
    return Promise.all(seen);
  }
});

/** All that visitors of the apps `a` and `b` could ask. */
const QUESTIONS = ["a", "v1.a", "v2.a", "b", "v1.b", "v2.b"]
  .map((name) => `${name}.localhost`)
  .concat("localhost", "c.localhost")
  .flatMap((host) =>
    ["", "sluice=production.v1", "sluice=production.v2", "sluice=canary.v2"].flatMap((cookie) =>
      ["", "blue", "green"].map((mode) => ({ host, cookie, "x-client-mode": mode })),
    ),
  );

function expected(wanted: FakeRoutes): string[] {
  return QUESTIONS.map((headers) => {
    const destination = wanted.destinationOf({ headers });
    const answer =
      typeof destination === "number"
        ? `${destination} undefined undefined`
        : `200 ${destination.release.split("/")[1] ?? ""} ${String(withoutTicket(given(destination, 200).cookie))}`;
    return `${Object.values(headers).join(" ")}: ${answer}`;
  });
}

interface Change {
  readonly app: string;
  readonly routes: AppRoutes | undefined;
  readonly fallback: string | undefined;
}

/** Lets every visitor of the test in. */
const HERE_ALONE: Guard = { password: undefined, addresses: ["127.0.0.0/8"], limits: { connections: 1000 } };

/** Any changes to two apps, guarded or not, whose releases have any of the servers; the second may be the canary of all, or of who asks. */
function historyOf(upstreams: readonly Upstream[]): fc.Arbitrary<Change[]> {
  const servers = fc.subarray([...upstreams]);
  const wanted = fc
    .record({
      first: servers,
      second: fc.option(servers),
      live: fc.constantFrom(1, 2),
      sticky: fc.subarray([1, 2]),
      share: fc.constantFrom(undefined, 0, 100),
    })
    .map(({ first, second, live, sticky, share }): WantedRoutes => {
      if (second === null) return { live: 1, releases: { 1: first }, sticky };
      const releases = { 1: first, 2: second };
      return share === undefined ? { live, releases, sticky } : { live: 1, releases, sticky, share };
    });
  const change = fc
    .record({
      app: fc.constantFrom("a", "b"),
      wanted: fc.option(wanted, { freq: 5, nil: undefined }),
      fallback: fc.constantFrom(undefined, "a/production"),
      guarded: fc.subarray(["production", "v1", "v2"]),
      errorPage: fc.constantFrom(undefined, "<p>", "x".repeat(7000)),
    })
    .map(({ app, wanted, fallback, guarded, errorPage }) => {
      const guards = new Map(guarded.map((name) => [`${app}/${name}`, HERE_ALONE]));
      return { app, routes: wanted && { ...withCanary(app, wanted), guards, errorPage }, fallback };
    });
  return fc.array(change, { minLength: 1, maxLength: 10 });
}

interface WantedRoutes extends Wanted {
  /** Of v2 as the canary. */
  readonly share?: number;
}

function withCanary(app: string, { share, ...wanted }: WantedRoutes): AppRoutes {
  const routes = routesOf(app, wanted);
  const [key, canary] = [`${app}/v2`, routes.releases.get(`${app}/v2`)];
  if (share === undefined || canary === undefined) return routes;
  const split = {
    canary: key,
    share,
    baseline: undefined,
    header: undefined,
    goal: undefined,
    slow: undefined,
  };
  return {
    ...routes,
    tracks: new Map([...routes.tracks, [`${app}/canary`, key]]),
    splits: new Map([[`${app}/production`, split]]),
    releases: new Map([...routes.releases, [key, { ...canary, track: "canary" }]]),
  };
}
