import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Redis } from "ioredis";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { throughout } from "../../support/throughout.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const APP = "shop";
/** Whoever was replaced may go at once, as far as its visitors are concerned. */
const BRIEF = { sluice: { standbySeconds: 0, drainSeconds: 1 } };
/** Longer than a proxy is waited for and than anything drains. */
const LONG_MS = 8000;

interface ProxySummary {
  readonly proxy: string;
  readonly reports: boolean;
}

describe("a proxy whose Node is killed while its HAProxy serves on", function () {
  this.timeout(120_000);
  let folder: string;
  let redisServer: ChildProcess;
  let server: TestSluice;
  let proxy: TestSluice;
  let clone: TestClone;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "silent-proxy-"));
    const port = await freePort();
    redisServer = spawn(
      "redis-server",
      [
        "--port",
        String(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        folder,
        "--save",
        "",
        "--requirepass",
        "secret",
      ],
      { stdio: "ignore" },
    );
    const url = `redis://:secret@127.0.0.1:${port}/0`;
    const redis = new Redis(url, { retryStrategy: () => 50 });
    redis.on("error", () => undefined);
    await eventually("Redis answers", async () => redis.ping());
    redis.disconnect();
    server = await TestSluice.prepare({ settings: { redis: { url } } });
    proxy = await TestSluice.prepare({ settings: { redis: { url } } });
    await proxy.up("--roles", "proxy");
    await server.up("--roles", "server");
    clone = await server.clone(APP, tinyApp({ "app.json": JSON.stringify(BRIEF) }));
    await clone.mustPush();
  });
  after(async () => {
    await server.dispose();
    await proxy.dispose();
    redisServer.kill("SIGKILL");
    await once(redisServer, "exit");
    await rm(folder, { recursive: true });
  });

  const push = async (note: string): Promise<string> => {
    await clone.commit({ note });
    const pushed = await clone.push();
    expectAccepted(pushed);
    return pushed.output;
  };
  const isServing = async (): Promise<boolean> => (await proxy.get(APP)).status === 200;
  const name = async (): Promise<string> =>
    (await server.read<ProxySummary[]>("proxies")).map((member) => member.proxy).join();

  it("holds up no push, and leads nobody to a release that was stopped", async () => {
    expect((await proxy.get(APP)).body).to.equal("v1 web.1");
    await proxy.kill();
    const load = startLoad(proxy.httpPort, APP);
    expect(await push("2")).to.match(/has not reported since .*sluice hosts remove/s);
    expect(await push("3")).to.match(/has not reported since .*sluice hosts remove/s);
    const began = Date.now();
    // All that may stop has stopped then.
    const isOver = (): boolean => Date.now() - began > LONG_MS;
    await throughout(isOver, async () => {
      expect(await isServing()).to.equal(true);
    });
    expect((await load.stop()).failures).to.deep.equal([]);
    expect(await server.instances()).to.include("shop.v1.web.1");
  });

  it("still leads nobody there when the server was killed, too", async () => {
    await server.kill();
    await server.up("--roles", "server");
    expect(await server.instances()).to.include("shop.v1.web.1");
    expect(await isServing()).to.equal(true);
  });

  it("is shown, and its return ends the waiting", async () => {
    await eventually("a server that is new has found out, too", async () =>
      (await server.read<ProxySummary[]>("proxies")).every(({ reports }) => !reports),
    );
    expect((await server.cli("hosts")).stdout).to.include(`${await name()} has not reported since`);
    expect((await server.cli("status")).stdout).to.include(`${await name()} has not reported since`);
    await proxy.up("--roles", "proxy");
    await eventually("the newest release serves", async () => (await proxy.get(APP)).body === "v3 web.1");
    await eventually("the older ones go", async () => (await server.instances()).join() === "shop.v3.web.1");
  });

  it("is removed by a command, unless it reports", async () => {
    const refused = await server.cli("hosts", "remove", await name());
    expect(refused.status).to.equal(1);
    expect(refused.stderr).to.match(/is still running: it has just reported/);
    await proxy.kill();
    await push("4");
    expect(await server.instances()).to.have.members(["shop.v3.web.1", "shop.v4.web.1"]);
    const removed = await server.cli("hosts", "remove", await name());
    expect(removed).to.include({ status: 0, stderr: "" });
    expect(await name()).to.equal("");
    await eventually(
      "nobody is waited for",
      async () => (await server.instances()).join() === "shop.v4.web.1",
    );
    expect((await server.cli("hosts", "remove", "nobody")).stderr).to.match(/There is no proxy "nobody"/);
  });

  it("leaves by itself when it is stopped with its HAProxy", async () => {
    await proxy.up("--roles", "proxy");
    await eventually("it is a member again", async () => (await name()) !== "");
    expect((await proxy.cli("down")).status).to.equal(0);
    expect(await name()).to.equal("");
    expect(await push("5")).not.to.match(/reported/);
  });

  it("keeps no change of the canary's share and no removal of an app from being done, which say what is pending", async () => {
    await proxy.up("--roles", "proxy");
    await eventually("it is a member again", async () => (await name()) !== "");
    const gone = await server.clone("gone", tinyApp());
    await gone.mustPush();
    await clone.mustPush("HEAD:staging");
    await proxy.kill();
    const weighed = await server.cli("weight", APP, "10");
    expect(weighed).to.include({ status: 0, stderr: "" });
    expect(weighed.stdout).to.match(
      /^10 % of the new visitors[^]*did not apply revision|^10 % of the new visitors[^]*has not reported since/,
    );
    expect(await server.json("canary", APP)).to.have.property("share", 10);
    expect((await proxy.get("gone")).body).to.equal("v1 web.1");
    const destroyed = await server.cli("destroy", "gone", "--yes");
    expect(destroyed).to.include({ status: 0, stderr: "" });
    expect(destroyed.stdout).to.match(
      /^gone was destroyed[^]*Its instances stop once[^]*has not reported since/,
    );
    expect((await server.cli("apps")).stdout).not.to.include("gone");
    expect(await server.instances()).to.include("gone.v1.web.1");
    const again = await server.clone("gone", tinyApp());
    expect((await again.push()).output).to.match(/Live: [^]*\(v2,/);
    await proxy.up("--roles", "proxy");
    await eventually(
      "the old instance goes",
      async () => !(await server.instances()).includes("gone.v1.web.1"),
    );
    await eventually("the new one serves", async () => (await proxy.get("gone")).body === "v2 web.1");
  });
});
