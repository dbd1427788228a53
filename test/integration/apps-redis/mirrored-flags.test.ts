import { expect } from "chai";
import { Redis } from "ioredis";
import { endService } from "../../../core/exec/runsv.js";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const FLAGS = "sluice:flags:shop";
/** A busy machine needs a moment more than the 100 ms that are promised. */
const SOON_MS = 1000;

interface Status {
  readonly pid: number;
  readonly redis: { readonly pid: number };
  readonly appsRedis: { readonly state: string; readonly pid: number };
}

describe("the flags in the apps' Redis", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  let app: Redis;
  let admin: Redis;
  let subscriber: Redis;
  /** What the app has heard, and how the flag was then. */
  const heard: string[] = [];

  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    const { REDIS_URL } = JSON.parse((await sluice.get("shop", "/env")).body) as { REDIS_URL: string };
    const url = fromHere(REDIS_URL);
    [app, subscriber] = [connect(url), connect(url)];
    ({ redis: admin } = await sluice.redis());
    // It is killed below.
    admin.on("error", () => undefined);
    subscriber.on("message", (_channel: string, flag: string) => {
      void app.hget(FLAGS, flag).then((value) => heard.push(`${flag}=${value ?? ""}`));
    });
    await subscriber.subscribe(FLAGS);
  });
  after(async () => {
    for (const redis of [app, subscriber, admin]) redis.disconnect();
    await sluice.dispose();
  });

  const isSeen = async (flag: string, value: string | null, timeoutMs = SOON_MS): Promise<void> => {
    await eventually(`${flag} is ${value}`, async () => (await app.hget(FLAGS, flag)) === value, timeoutMs);
  };
  const status = async (): Promise<Status> => sluice.read<Status>("status");

  it("are what Sluice's say, soon after a change, which is announced after it can be read", async () => {
    expect((await sluice.cli("flags", "shop", "dark", "1")).status).to.equal(0);
    await isSeen("dark", "1");
    await eventually("it is announced", () => heard.includes("dark=1"));
    expect((await sluice.cli("flags", "shop", "dark", "0")).status).to.equal(0);
    await eventually("the other value too", () => heard.includes("dark=0"));
    expect((await sluice.cli("flags", "shop", "--unset", "dark")).status).to.equal(0);
    await isSeen("dark", null);
    await eventually("and that it is gone", () => heard.includes("dark="));
  });

  it("follow an admin who writes by hand, within 100 ms as a rule", async () => {
    const delays: number[] = [];
    for (let index = 0; index < 9; index++) {
      const began = Date.now();
      await admin.hset(FLAGS, "hue", String(index));
      while ((await app.hget(FLAGS, "hue")) !== String(index));
      delays.push(Date.now() - began);
    }
    expect(delays.sort((a, b) => a - b)[4], delays.join()).to.be.at.most(100);
    await admin.publish(FLAGS, "hue");
    await eventually("an announcement by hand", () => heard.includes("hue=8"));
    await admin.del(FLAGS);
    await isSeen("hue", null);
  });

  it("are one way: what somebody writes in the apps' Redis is no flag", async () => {
    expect(String(await app.hset(FLAGS, "dark", "1").catch((error: unknown) => error))).to.include("NOPERM");
  });

  it("are brought up to date after the apps' Redis was killed, and its data is there", async () => {
    await app.set("app:shop:kept", "yes");
    const { appsRedis } = await status();
    await admin.hset(FLAGS, "before", "1");
    await isSeen("before", "1");
    process.kill(appsRedis.pid, "SIGKILL");
    await admin.hset(FLAGS, "meanwhile", "1");
    await admin.hdel(FLAGS, "before");
    await isSeen("meanwhile", "1", 15_000);
    await isSeen("before", null);
    expect(await app.get("app:shop:kept")).to.equal("yes");
  });

  it("and after Sluice's own was, or the server", async () => {
    const { redis } = await status();
    process.kill(redis.pid, "SIGKILL");
    await eventually("an admin can write", async () => admin.hset(FLAGS, "again", "1"));
    await isSeen("again", "1", 15_000);
    await sluice.kill();
    await admin.hset(FLAGS, "nobody", "1");
    await sluice.up();
    await isSeen("nobody", "1", 15_000);
  });

  it("releases, traffic and flags by URL go on while the apps' Redis is away; the push and the status say so", async () => {
    await endService(join(sluice.home, "services/apps-redis"), 5000);
    await eventually("the status says so", async () => (await status()).appsRedis.state === "down");
    expect((await sluice.cli("status")).stdout).to.match(/^ {9}for the apps: down$/m);
    expect((await sluice.cli("doctor")).stdout).to.include("apps-redis is not running");
    await clone.commit({ note: "2" });
    const { status: pushed, output } = await clone.push();
    expect(pushed, output).to.equal(0);
    expect(output).to.include("The apps' Redis does not answer");
    expect((await sluice.get("shop")).body).to.equal("v2 web.1");
    const toggled = await sluice.control("/flags/shop/dark/1", {
      authorization: `Bearer ${await sluice.token()}`,
    });
    expect(toggled.status, toggled.body).to.equal(200);
    expect((await sluice.control("/healthz")).status).to.equal(200);
    await (await sluice.clone("fresh", tinyApp())).mustPush();
    expect((await sluice.cli("destroy", "fresh", "--yes")).status).to.equal(0);
    await (await sluice.clone("newer", tinyApp())).mustPush();
    // The server is started again, and with it what was away.
    await sluice.kill();
    await sluice.up();
    await isSeen("dark", "1", 15_000);
    const { REDIS_URL } = JSON.parse((await sluice.get("newer", "/env")).body) as { REDIS_URL: string };
    const newer = connect(fromHere(REDIS_URL));
    expect(await newer.set("app:newer:a", "1")).to.equal("OK");
    newer.disconnect();
  });
});

function connect(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on("error", () => undefined);
  return redis;
}
