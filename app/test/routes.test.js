import { expect } from "chai";
import { serveRoutes } from "./support/routes.js";

describe("routes", () => {
  const env = {
    RELEASE: "v42",
    GIT_REV: "abc123",
    DYNO: "web.1",
    SLUICE_APP: "shop",
    SLUICE_TRACK: "production",
  };
  let app;

  before(async () => (app = await serveRoutes({ env })));
  after(() => app.end());

  it("answers / with the page, not to be cached and with no room for scripts", async () => {
    const res = await app.fetch("/");
    expect(res.status).to.equal(200);
    expect(res.headers.get("content-type")).to.equal("text/html; charset=utf-8");
    expect(res.headers.get("cache-control")).to.equal("no-store");
    expect(res.headers.get("content-security-policy")).to.include("default-src 'none'");
    expect(await res.text()).to.include("Hello from v42");
  });

  it("answers /version with who it is", async () => {
    expect(await (await app.fetch("/version")).json()).to.deep.equal({
      release: "v42",
      commit: "abc123",
      app: "shop",
      track: "production",
      instance: "web.1",
      pid: process.pid,
      node: process.versions.node,
    });
  });

  it("answers /status with ok though there is no Redis", async () => {
    const res = await app.fetch("/status");
    expect(res.status).to.equal(200);
    expect(await res.json()).to.deep.equal({ status: "ok" });
  });

  it("answers /status with 503 while stopping", async () => {
    const stopping = await serveRoutes({ env, stopping: AbortSignal.abort() });
    try {
      const res = await stopping.fetch("/status");
      expect(res.status).to.equal(503);
      expect(await res.json()).to.deep.equal({ status: "stopping" });
    } finally {
      await stopping.end();
    }
  });

  for (const path of ["/get/a", "/set/a/b"]) {
    it(`answers ${path} with 503 and the reason when REDIS_URL is not set`, async () => {
      const res = await app.fetch(path);
      expect(res.status).to.equal(503);
      expect((await res.json()).error).to.include("REDIS_URL is not set");
    });
  }

  for (const url of ["redis://user:hidden-password@[", "redis://user:hidden-password@127.0.0.1:99999"]) {
    it(`answers 503 and not the address when REDIS_URL is unreadable: ${url}`, async () => {
      const broken = await serveRoutes({ env: { REDIS_URL: url } });
      try {
        const res = await broken.fetch("/get/a");
        expect(res.status).to.equal(503);
        expect(await res.text())
          .to.include("REDIS_URL cannot be read")
          .and.not.include("hidden-password");
      } finally {
        await broken.end();
      }
    });
  }

  it("refuses keys over 200 characters and values over 10 kB", async () => {
    const at = (key, value) => app.fetch(`/set/${key}/${value}`).then((res) => res.status);
    const noRedis = 503;
    expect(await at("k".repeat(200), "v".repeat(10_000))).to.equal(noRedis);
    expect(await at("k".repeat(201), "v")).to.equal(400);
    expect(await at("k", "v".repeat(10_001))).to.equal(400);
    expect(await at("k", "%C3%BC".repeat(5_000))).to.equal(noRedis);
    expect(await at("k", "%C3%BC".repeat(5_001))).to.equal(400);
    expect((await app.fetch(`/get/${"k".repeat(201)}`)).status).to.equal(400);
  });

  it("answers /slow after the time asked for", async () => {
    const begun = performance.now();
    const res = await app.fetch("/slow/30");
    expect(await res.json()).to.deep.equal({ ms: 30, release: "v42", instance: "web.1" });
    expect(performance.now() - begun).to.be.at.least(29);
  });

  for (const ms of ["60001", "-1", "1.5", "1e3", "soon"]) {
    it(`refuses /slow/${ms}`, async () => {
      expect((await app.fetch(`/slow/${ms}`)).status).to.equal(400);
    });
  }

  it("answers JSON where there is nothing, and where the address is broken", async () => {
    const missing = await app.fetch("/nowhere");
    expect(missing.status).to.equal(404);
    expect(await missing.json()).to.have.property("error");
    const broken = await app.fetch("/get/%E0%A4%A");
    expect(broken.status).to.equal(400);
    expect(await broken.json()).to.have.property("error");
  });
});
