import { expect } from "chai";
import type { AppRoutes, Proxy } from "../../proxy/proxy.js";
import { eventually } from "../support/eventually.js";
import { startLoad } from "../support/load.js";
import { httpGet, type HttpAnswer } from "../support/test-sluice.js";
import { Upgraded } from "../support/upgraded.js";
import { Upstream } from "../support/upstream.js";

export interface RunningProxy {
  readonly proxy: Proxy;
  readonly port: number;
  close(): Promise<void>;
}

/** What every driver of `proxy/proxy.ts` must do, seen from a visitor's side. */
export function proxyContract(name: string, start: () => Promise<RunningProxy>): void {
  describe(`the proxy ${name}`, function () {
    this.timeout(30_000);
    let running: RunningProxy;
    let upstreams: Upstream[] = [];

    beforeEach(async () => (running = await start()));
    afterEach(async () => {
      await running.close();
      await Promise.all(upstreams.map((upstream) => upstream.stop()));
      upstreams = [];
    });

    it("leads a host to its track's release, a release's own host to it, and says which", async () => {
      const [one, two] = [await upstream("v1"), await upstream("v2")];
      await apply(routesOf("a", { live: 1, releases: { 1: [one], 2: [two] } }));
      const answer = await get("a");
      expect(answer).to.include({ status: 200, body: "v1" });
      expect(answer.headers).to.include({ "sluice-release": "v1", "sluice-track": "production" });
      expect((await get("v2.a")).body).to.equal("v2");
      expect((await httpGet(running.port, "/", { host: "A.LOCALHOST:8080" })).body).to.equal("v1");
    });

    it("answers 404 for an unknown host, 503 with Retry-After for an app without a release", async () => {
      await apply(routesOf("a", { releases: {} }));
      expect((await get("b")).status).to.equal(404);
      const answer = await get("a");
      expect(answer.status).to.equal(503);
      expect(answer.headers).to.include({ "retry-after": "5" });
      expect([...(await running.proxy.apps())]).to.deep.equal(["a"]);
    });

    it("leads a bare host or address to the fallback, if there is one", async () => {
      const one = await upstream("v1");
      await running.proxy.apply(
        new Map([["a", routesOf("a", { live: 1, releases: { 1: [one] } })]]),
        "a/production",
      );
      for (const host of ["localhost", "127.0.0.1:80"])
        expect((await httpGet(running.port, "/", { host })).body).to.equal("v1");
      await running.proxy.apply(new Map(), undefined);
      expect((await httpGet(running.port, "/", { host: "localhost" })).status).to.equal(404);
    });

    it("switches at once and for everybody, and loses nobody", async () => {
      const [one, two] = [await upstream("v1"), await upstream("v2")];
      const releases = { 1: [one], 2: [two] };
      await apply(routesOf("a", { live: 1, releases }));
      const load = startLoad(running.port, "a", "/?ms=5", 400);
      for (let round = 0; round < 20; round++) {
        const live = round % 2 === 0 ? 2 : 1;
        await apply(routesOf("a", { live, releases }));
        expect((await get("a")).body).to.equal(`v${live}`);
      }
      expect((await load.stop()).failures).to.deep.equal([]);
    });

    it("can be told the same twice, and forgets an app", async () => {
      const routes = routesOf("a", { live: 1, releases: { 1: [await upstream("v1")] } });
      await apply(routes);
      await apply(routes);
      expect((await get("a")).body).to.equal("v1");
      await running.proxy.apply(new Map([["a", undefined]]), undefined);
      expect((await get("a")).status).to.equal(404);
      expect([...(await running.proxy.apps())]).to.deep.equal([]);
    });

    it("brings a visitor's cookie back to a sticky release, until it is none", async () => {
      const [one, two] = [await upstream("v1"), await upstream("v2")];
      const releases = { 1: [one], 2: [two] };
      await apply(routesOf("a", { live: 1, releases, sticky: [1, 2] }));
      const [cookie = ""] = String((await get("a")).headers["set-cookie"]).split(";");
      expect(cookie).to.match(/^sluice=production\.v1/);
      await apply(routesOf("a", { live: 2, releases, sticky: [1, 2] }));
      const back = await get("a", "/", { cookie });
      expect([back.body, back.headers["set-cookie"]]).to.deep.equal(["v1", undefined]);
      expect((await get("a")).body).to.equal("v2");
      await apply(routesOf("a", { live: 2, releases, sticky: [2] }));
      const moved = await get("a", "/", { cookie });
      expect(moved.body).to.equal("v2");
      expect(String(moved.headers["set-cookie"])).to.match(/^sluice=production\.v2/);
    });

    it("lets what is open on a release that left end there, and counts it while the release is here", async () => {
      const [one, two] = [await upstream("v1"), await upstream("v2")];
      await apply(routesOf("a", { live: 1, releases: { 1: [one] } }));
      const slow = get("a", "/?ms=700");
      const socket = await Upgraded.open(running.port, "a");
      await apply(routesOf("a", { live: 2, releases: { 1: [one], 2: [two] } }));
      const loads = await running.proxy.loads(["a/v1", "a/v2", "a/v9"]);
      expect(loads.get("a/v1")?.connections).to.equal(2);
      expect(loads.get("a/v2")).to.deep.equal({ connections: 0, idleSeconds: Infinity });
      expect(loads.has("a/v9")).to.equal(false);
      await apply(routesOf("a", { live: 2, releases: { 2: [two] } }));
      expect((await slow).body).to.equal("v1");
      expect(await socket.echo("still")).to.equal("v1");
      socket.close();
      await eventually(
        "nothing is open",
        async () => ((await running.proxy.loads(["a/v2"])).get("a/v2")?.connections ?? 1) === 0,
      );
    });

    it("shares a release's load among its servers, on ports and on Unix sockets, and does without one that is dead", async () => {
      const [one, two] = [await upstream("v1"), await upstream("v1", { socket: true })];
      await apply(routesOf("a", { live: 1, releases: { 1: [one, two] } }));
      for (let request = 0; request < 40; request++) expect((await get("a")).body).to.equal("v1");
      expect(one.requests).to.be.greaterThan(5);
      expect(two.requests).to.be.greaterThan(5);
      await one.stop();
      upstreams = upstreams.filter((upstream) => upstream !== one);
      for (let request = 0; request < 40; request++) expect((await get("a")).status).to.equal(200);
    });

    async function upstream(name: string, options: { socket?: boolean } = {}): Promise<Upstream> {
      const started = await Upstream.start(name, options);
      upstreams.push(started);
      return started;
    }

    async function apply(routes: AppRoutes): Promise<void> {
      await running.proxy.apply(new Map([["a", routes]]), undefined);
    }

    async function get(host: string, path = "/", headers: Record<string, string> = {}): Promise<HttpAnswer> {
      return httpGet(running.port, path, { host: `${host}.localhost`, ...headers });
    }
  });
}

/** Routes of an app in a few words. */
export function routesOf(
  app: string,
  want: { live?: number; releases: Record<number, readonly Upstream[]>; sticky?: readonly number[] },
): AppRoutes {
  const numbers = Object.keys(want.releases).map(Number);
  const hosts = new Map([
    [`${app}.localhost`, `${app}/production`],
    ...numbers.map((number) => [`v${number}.${app}.localhost`, `${app}/v${number}`] as const),
  ]);
  const releases = numbers.map((number) => {
    const servers = new Map(
      want.releases[number]?.map(({ address }, index) => [`${app}.v${number}.web.${index + 1}`, address]),
    );
    return [
      `${app}/v${number}`,
      { track: "production", servers, sticky: want.sticky?.includes(number) ?? false },
    ] as const;
  });
  return {
    hosts,
    tracks: new Map(want.live === undefined ? [] : [[`${app}/production`, `${app}/v${want.live}`]]),
    releases: new Map(releases),
  };
}
