import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("with a Redis of one's own (redis.url)", function () {
  this.timeout(60_000);
  let folder: string;
  let server: ChildProcess;
  let start: () => ChildProcess;
  let sluice: TestSluice;
  let url: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "own-redis-"));
    const port = await freePort();
    url = `redis://:topsecret@127.0.0.1:${port}/0`;
    start = () =>
      spawn(
        "redis-server",
        ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--requirepass", "topsecret"],
        { stdio: "ignore" },
      );
    server = start();
    const redis = new Redis(url, { retryStrategy: () => 50 });
    redis.on("error", () => undefined);
    await eventually("it answers", async () => redis.ping());
    redis.disconnect();
    sluice = await TestSluice.start({ settings: { redis: { url } } });
  });
  after(async () => {
    await sluice.dispose();
    server.kill();
    await once(server, "exit");
    await rm(folder, { recursive: true });
  });

  it("keeps its records there, starts none of its own, and gives each app a user that sees only its keys", async () => {
    const clone = await sluice.clone("guest", tinyApp());
    await clone.mustPush();
    const { REDIS_URL } = JSON.parse((await sluice.get("guest", "/env")).body) as { REDIS_URL: string };
    expect(REDIS_URL).to.match(/^redis:\/\/app-guest:[0-9a-f]{64}@(?:127\.0\.0\.1|198\.18\.0\.1):\d+\/0$/);
    const app = new Redis(fromHere(REDIS_URL));
    try {
      expect(await app.set("app:guest:color", "red")).to.equal("OK");
      expect(String(await app.get("sluice:apps").catch((error: unknown) => error))).to.include("NOPERM");
      expect(String(await app.set("sluice:flags:guest", "1").catch((error: unknown) => error))).to.include(
        "NOPERM",
      );
      expect(String(await app.keys("*").catch((error: unknown) => error))).to.include("NOPERM");
    } finally {
      app.disconnect();
    }
    expect((await sluice.read<{ redis: { state: string; pid?: number } }>("status")).redis).to.deep.equal({
      ...{ state: "up", replicas: [] },
    });
  });

  it("gives the apps their users again when it was restarted, which keeps none", async () => {
    const { REDIS_URL } = JSON.parse((await sluice.get("guest", "/env")).body) as { REDIS_URL: string };
    server.kill();
    await once(server, "exit");
    server = start();
    await eventually("the app is let in", async () => {
      const app = new Redis(fromHere(REDIS_URL), { lazyConnect: true, retryStrategy: () => null });
      app.on("error", () => undefined);
      try {
        await app.connect();
        return (await app.get("app:guest:color")) === "red";
      } catch {
        return false;
      } finally {
        app.disconnect();
      }
    });
  });

  it("refuses one that needs no password, though the URL has one, unless sluice.yml says that it may", async () => {
    const [port, other] = [await freePort(), await mkdtemp(join(tmpdir(), "open-redis-"))];
    const open = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--dir", other], {
      stdio: "ignore",
    });
    const openUrl = `redis://127.0.0.1:${port}`;
    const redis = new Redis(openUrl, { retryStrategy: () => 50 });
    redis.on("error", () => undefined);
    await eventually("it answers", async () => redis.ping());
    redis.disconnect();
    const refused = await TestSluice.prepare({ settings: { redis: { url: openUrl } } });
    const allowed = await TestSluice.prepare({
      settings: { redis: { url: openUrl, allowNoPassword: true } },
    });
    try {
      const up = await refused.cli("up");
      expect(up.status).to.equal(1);
      expect(up.stderr).to.include(`The Redis at 127.0.0.1:${port} needs no password`);
      await allowed.up();
    } finally {
      await refused.dispose();
      await allowed.dispose();
      open.kill("SIGKILL");
      await once(open, "exit");
      await rm(other, { recursive: true });
    }
  });

  it("says what is wrong when it does not answer at the start", async () => {
    const other = await TestSluice.prepare({
      settings: { redis: { url: `redis://127.0.0.1:${await freePort()}` } },
    });
    try {
      const up = await other.cli("up");
      expect(up.status).to.equal(1);
      expect(up.stderr).to.include("Redis, which keeps Sluice's records, does not answer");
    } finally {
      await other.dispose();
    }
  });
});
