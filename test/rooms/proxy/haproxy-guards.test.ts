import { expect } from "chai";
import { hashPreviewPassword } from "../../../core/records/routes/preview-password.js";
import type { AppRoutes, Guard } from "../../../proxy/proxy.js";
import { ProxyTrial, routesOf } from "../../contract/proxy/proxy-trial.js";
import { RunningHaproxy } from "../../contract/proxy/running-haproxy.js";
import { eventually } from "../../support/eventually.js";
import { ask } from "../../support/network/ask.js";
import type { Upstream } from "../../support/network/upstream.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";

const FREE: Guard = { password: undefined, addresses: [], limits: {} };
/** A proxy in front of Sluice, and one in front of that. */
const TRUSTED = ["127.0.0.2", "192.0.2.0/24", "2001:db8:1::/48"];
const PREVIEW = "feature.a";

describe("HAProxy, at what not everybody may visit", function () {
  this.timeout(30_000);
  const trial = new ProxyTrial(async () => RunningHaproxy.start({ trustedProxies: TRUSTED }));
  let web: Upstream;
  let preview: Upstream;
  let pid: string;
  beforeEach(async () => {
    await trial.begin();
    web = await trial.upstream("v1");
    preview = await trial.upstream("v2");
    pid = await trial.running.worker();
  });
  afterEach(async () => {
    expect(await trial.running.worker(), "a reload").to.equal(pid);
    await trial.end();
  });

  /** Production has v1, and the branch `feature` v2. */
  const serve = async (guards: Record<string, Partial<Guard>>, fallback?: string): Promise<void> => {
    const production = routesOf("a", { live: 1, releases: { 1: [web] }, sticky: [1] });
    const feature = routesOf("a", { live: 2, releases: { 2: [preview] }, sticky: [2], track: "feature" });
    const both = <Key extends "hosts" | "tracks" | "releases">(key: Key): AppRoutes[Key] =>
      new Map<string, unknown>([...production[key], ...feature[key]]) as unknown as AppRoutes[Key];
    const routes = {
      ...production,
      ...{ hosts: both("hosts"), tracks: both("tracks"), releases: both("releases") },
      guards: new Map(Object.entries(guards).map(([target, guard]) => [target, { ...FREE, ...guard }])),
    };
    await trial.apply("a", routes, fallback);
  };
  const get = async (
    host: string,
    headers: Record<string, string> = {},
    more: { path?: string; localAddress?: string; method?: string; body?: string } = {},
  ): Promise<HttpAnswer> =>
    ask(`127.0.0.1:${trial.running.port}`, { ...more, headers: { host: `${host}.localhost`, ...headers } });
  const statusOf = async (...args: Parameters<typeof get>): Promise<number> => (await get(...args)).status;

  describe("with a password", () => {
    const PASSWORD = "pässword: with a colon";
    const basic = (user: string, password = PASSWORD): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
    });
    const password = hashPreviewPassword(PASSWORD);
    beforeEach(async () => serve({ "a/feature": { password }, "a/v2": { password }, "a/v1": { password } }));

    it("asks for it, at previews and releases, and not at production", async () => {
      const refused = await get(PREVIEW);
      expect([refused.status, refused.headers["www-authenticate"], refused.headers["cache-control"]]).to.eql([
        ...[401, 'Basic realm="a", charset="UTF-8"', "no-store"],
      ]);
      for (const host of ["v1.a", "v2.a"]) expect(await statusOf(host), host).to.equal(401);
      expect((await get("a")).body).to.equal("v1");
      expect(preview.requests).to.equal(0);
    });

    it("lets visitors in who give it, with any name", async () => {
      for (const user of ["", "ann", "preview"])
        expect((await get(PREVIEW, basic(user))).body).to.equal("v2");
      expect((await get("v1.a", basic("ann"))).body).to.equal("v1");
    });

    it("refuses any other one", async () => {
      for (const wrong of ["", "password", `${PASSWORD} `, PASSWORD.slice(1), password.hash])
        expect(await statusOf(PREVIEW, basic("ann", wrong)), wrong).to.equal(401);
      for (const authorization of ["Basic", "Basic !", "Bearer x", "", `Digest ${PASSWORD}`])
        expect(await statusOf(PREVIEW, { authorization }), authorization).to.equal(401);
      expect(preview.requests).to.equal(0);
    });

    it("does not pass it on, and leaves the header alone where there is no password", async () => {
      expect((await get(PREVIEW, basic("ann"), { path: "/headers" })).body).not.to.match(/authorization/i);
      expect((await get("a", basic("ann"), { path: "/headers" })).body).to.match(/authorization/i);
    });

    it("lets an authority in that asks an app for its answer, and nobody else by that path", async () => {
      const status = async (path: string): Promise<number> => statusOf(PREVIEW, {}, { path });
      expect(await status("/.well-known/acme-challenge/to-ken_1")).to.equal(200);
      for (const path of ["", "../../admin", "x/../../../admin", "%2e%2e/%2e%2e/admin", "x%2f..", "x;/../y"])
        expect(await status(`/.well-known/acme-challenge/${path}`), path).to.equal(401);
    });

    it("brings nobody to a preview by a cookie at production's host", async () => {
      for (const cookie of ["sluice=feature.v2", "sluice=production.v2", "sluice=canary.v2"])
        expect((await get("a", { cookie })).body, cookie).to.equal("v1");
      expect((await get(PREVIEW, { ...basic("ann"), cookie: "sluice=feature.v2" })).body).to.equal("v2");
    });

    it("follows when it is changed or removed", async () => {
      await serve({ "a/feature": { password: hashPreviewPassword("another") } });
      expect(await statusOf(PREVIEW, basic("ann"))).to.equal(401);
      expect(await statusOf(PREVIEW, basic("ann", "another"))).to.equal(200);
      await serve({});
      expect(await statusOf(PREVIEW)).to.equal(200);
    });

    it("still asks after a restart", async () => {
      await trial.running.restart();
      pid = await trial.running.worker();
      expect(await statusOf(PREVIEW)).to.equal(401);
      expect(await statusOf(PREVIEW, basic("ann"))).to.equal(200);
    });
  });

  describe("by address", () => {
    it("lets in who is on the list", async () => {
      await serve({ "a/production": { addresses: ["127.0.0.64/30", "127.0.0.9", "2001:db8:ffff::/48"] } });
      for (const localAddress of ["127.0.0.64", "127.0.0.67", "127.0.0.9"])
        expect(await statusOf("a", {}, { localAddress }), localAddress).to.equal(200);
      for (const localAddress of ["127.0.0.1", "127.0.0.63", "127.0.0.68"])
        expect(await statusOf("a", {}, { localAddress }), localAddress).to.equal(403);
      expect(await statusOf(PREVIEW)).to.equal(200);
    });

    it("guards the bare host too", async () => {
      const bare = async (): Promise<number> =>
        (await ask(`127.0.0.1:${trial.running.port}`, { headers: { host: "localhost" } })).status;
      await serve({}, "a/production");
      expect(await bare()).to.equal(200);
      await serve({ "a/production": { addresses: ["192.0.2.1"] } }, "a/production");
      expect(await bare()).to.equal(403);
      await serve({}, "a/production");
      expect(await bare()).to.equal(200);
    });

    it("believes trusted proxies about the address, each about the one before, and nobody else", async () => {
      await serve({ "a/production": { addresses: ["198.51.100.0/24", "2001:db8:ffff::/48"] } });
      const from = async (localAddress: string, chain?: string): Promise<number> =>
        statusOf("a", chain === undefined ? {} : { "x-forwarded-for": chain }, { localAddress });
      for (const chain of [
        "198.51.100.7",
        "203.0.113.5, 198.51.100.7",
        "198.51.100.7, 192.0.2.8",
        "198.51.100.7, 2001:db8:1::9, 192.0.2.8",
        "198.51.100.7:4711",
        "2001:db8:ffff:1::1",
        "[2001:db8:ffff::1]:443",
        "::ffff:198.51.100.7",
      ])
        expect(await from("127.0.0.2", chain), chain).to.equal(200);
      for (const chain of [
        "203.0.113.5",
        "198.51.100.7, 203.0.113.5",
        "198.51.100.7, 203.0.113.5, 192.0.2.8",
        "198.51.100.7, unknown",
        "198.51.100.0/24",
        "0.0.0.0/0",
        "",
      ])
        expect(await from("127.0.0.2", chain), chain).to.equal(403);
      expect(await from("127.0.0.2")).to.equal(403);
      expect(await from("127.0.0.1", "198.51.100.7")).to.equal(403);
    });
  });

  describe("with limits", () => {
    const from = async (address: string): Promise<HttpAnswer> =>
      get("a", { "x-forwarded-for": address }, { localAddress: "127.0.0.2" });
    const statuses = async (address: string, times: number): Promise<number[]> => {
      const found: number[] = [];
      for (let time = 0; time < times; time++) found.push((await from(address)).status);
      return found;
    };

    it("takes so many requests of a visitor in a minute", async () => {
      await serve({ "a/production": { limits: { requestsPerMinute: 3 } } });
      expect(await statuses("198.51.100.1", 5)).to.deep.equal([200, 200, 200, 429, 429]);
      expect((await from("198.51.100.1")).headers["retry-after"]).to.equal("60");
      expect(await statuses("198.51.100.2", 1)).to.deep.equal([200]);
      expect(web.requests).to.equal(4);
      expect((await get(PREVIEW)).status).to.equal(200);
    });

    it("takes 64 bits of an IPv6 address for one visitor", async () => {
      await serve({ "a/production": { limits: { requestsPerMinute: 2 } } });
      expect(await statuses("2001:db8:7:1::1", 1)).to.deep.equal([200]);
      expect(await statuses("2001:db8:7:1:ffff::1", 2)).to.deep.equal([200, 429]);
      expect(await statuses("2001:db8:7:2::1", 1)).to.deep.equal([200]);
      // No IPv6 address, however it is written.
      expect(await statuses("::ffff:198.51.100.3", 1)).to.deep.equal([200]);
      expect(await statuses("::ffff:198.51.100.4", 3)).to.deep.equal([200, 200, 429]);
    });

    it("takes so many at once, WebSockets too", async () => {
      await serve({ "a/production": { limits: { connections: 2 } } });
      const open = [await trial.upgraded("a"), await trial.upgraded("a")];
      const refused = await get("a");
      expect([refused.status, refused.headers["retry-after"]]).to.deep.equal([429, "5"]);
      expect((await from("198.51.100.1")).status).to.equal(200);
      open[0]?.close();
      await eventually("there is room", async () => (await statusOf("a")) === 200);
      open[1]?.close();
    });

    it("counts the latency and the errors of an app with limits as of any other", async () => {
      await serve({ "a/production": { limits: { requestsPerMinute: 9, connections: 9 } } });
      for (let time = 0; time < 4; time++) await get("a");
      const counts = (await trial.proxy.counts(true)).filter(({ release }) => release === "a/v1");
      expect(counts.reduce((sum, { requests }) => sum + requests, 0)).to.equal(4);
      const answers = counts.flatMap(({ latencies }) => [...latencies.values()]);
      expect(answers.reduce((sum, count) => sum + count, 0)).to.equal(4);
    });

    it("refuses a body that is too large, or does not say how large it is", async () => {
      await serve({ "a/production": { limits: { bodyMegabytes: 1 } } });
      const post = async (headers: Record<string, string>, body: string): Promise<number> =>
        statusOf("a", headers, { method: "POST", path: "/body", body });
      const megabyte = "x".repeat(1024 * 1024);
      expect(await post({ "content-length": String(megabyte.length) }, megabyte)).to.equal(200);
      expect(
        await post({ "content-length": String(megabyte.length + 1), expect: "100-continue" }, ""),
      ).to.equal(413);
      expect(await post({ "content-length": "99999999999999999999" }, "").catch(() => 400)).to.be.oneOf([
        400, 413,
      ]);
      expect(await post({ "transfer-encoding": "chunked" }, "x")).to.equal(411);
      expect(await post({}, "x")).to.equal(200);
      expect(await statusOf("a", {}, { method: "DELETE" })).to.equal(200);
    });
  });
});
