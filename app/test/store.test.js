import { expect } from "chai";
import { Redis } from "ioredis";
import { freePort, hasRedis, startRedis } from "./support/redis.js";
import { serveRoutes } from "./support/routes.js";

describe("store", () => {
  it("answers 503 at once when nobody listens at REDIS_URL, and hides the address", async () => {
    const port = await freePort();
    const app = await serveRoutes({ env: { REDIS_URL: `redis://hello:hidden-password@127.0.0.1:${port}` } });
    try {
      const begun = performance.now();
      for (const path of ["/get/a", "/set/a/b", "/get/a"]) {
        const res = await app.fetch(path);
        expect(res.status).to.equal(503);
        expect(res.headers.get("retry-after")).to.equal("1");
        const text = await res.text();
        expect(text).to.include("cannot be reached").and.not.include(port).and.not.include("hidden-password");
      }
      expect(performance.now() - begun).to.be.below(2_000);
    } finally {
      await app.end();
    }
  });
});

describe(`store with a real Redis${hasRedis ? "" : " (left out: there is no redis-server in PATH)"}`, () => {
  let redis;
  let admin;
  let app;

  before(async function () {
    if (!hasRedis) this.skip();
    redis = await startRedis({ app: "shop" });
    admin = new Redis(redis.adminUrl).on("error", () => {});
    app = await serveRoutes({ env: { REDIS_URL: redis.url, SLUICE_APP: "shop" } });
  });
  after(async () => {
    await app?.end();
    admin?.disconnect();
    await redis?.end();
  });

  const get = async (path) => {
    const res = await app.fetch(path);
    return { status: res.status, body: await res.json() };
  };

  it("keeps a value under the app's own prefix", async () => {
    expect(await get("/set/greeting/gr%C3%BCezi%2Fmitenand")).to.deep.equal({
      status: 200,
      body: { key: "greeting", value: "grüezi/mitenand" },
    });
    expect(await get("/get/greeting")).to.deep.equal({
      status: 200,
      body: { key: "greeting", value: "grüezi/mitenand" },
    });
    expect(await admin.keys("*")).to.deep.equal(["app:shop:greeting"]);
  });

  it("answers 404 for a key that is not there", async () => {
    const { status, body } = await get("/get/missing");
    expect(status).to.equal(404);
    expect(body).to.have.property("key", "missing");
  });

  it("says so when Redis refuses", async () => {
    const other = await serveRoutes({ env: { REDIS_URL: redis.url, SLUICE_APP: "other" } });
    try {
      const res = await other.fetch("/get/a");
      expect(res.status).to.equal(503);
      expect((await res.json()).error).to.include("refused");
    } finally {
      await other.end();
    }
  });

  it("answers 503 soon when Redis hangs, and works again when it goes on", async () => {
    redis.signal("SIGSTOP");
    try {
      const begun = performance.now();
      expect((await get("/set/a/b")).status).to.equal(503);
      expect(performance.now() - begun).to.be.below(2_500);
    } finally {
      redis.signal("SIGCONT");
    }
    expect((await get("/set/a/c")).status).to.equal(200);
  });

  it("answers 503 at once when Redis is gone, and works again by itself when it is back", async () => {
    await redis.kill();
    const begun = performance.now();
    for (let i = 0; i < 5; i++) expect((await get("/get/a")).status).to.equal(503);
    expect(performance.now() - begun).to.be.below(2_000);
    await redis.restart();
    let answer;
    do answer = await get("/set/a/back");
    while (answer.status === 503);
    expect(answer.status).to.equal(200);
  });
});
