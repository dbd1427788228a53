import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { Agent, get, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { haproxyCommand } from "../../proxy/haproxy/configuration.js";
import { Haproxy } from "../../proxy/haproxy/haproxy.js";
import { Runtime } from "../../proxy/haproxy/runtime.js";
import { eventually } from "../support/eventually.js";
import { freePort } from "../support/free-port.js";
import { startLoad } from "../support/load.js";
import { httpGet } from "../support/test-sluice.js";
import { Upgraded } from "../support/upgraded.js";
import { Upstream } from "../support/upstream.js";
import { proxyContract, routesOf, type RunningProxy } from "./proxy-contract.js";

interface RunningHaproxy extends RunningProxy {
  readonly proxy: Haproxy;
  readonly folder: string;
  /** Kills all of it and starts it again from its files. */
  restart(): Promise<void>;
  worker(): Promise<string>;
}

async function startHaproxy(): Promise<RunningHaproxy> {
  const folder = await mkdtemp(join(tmpdir(), "haproxy-"));
  const port = await freePort();
  const options = { folder, bind: "127.0.0.1", port, domain: "localhost", maxConnections: 1000 };
  await Haproxy.prepare(options);
  const proxy = new Haproxy(options);
  const runtime = new Runtime(join(folder, "admin.sock"));
  const launch = async (): Promise<ChildProcess> => {
    const [program = "", ...args] = haproxyCommand(folder);
    const child = spawn(program, args, { stdio: "ignore", detached: true });
    await eventually("HAProxy answers", async () => (await runtime.run("show version")) !== "");
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  let child = await launch();
  return {
    proxy,
    port,
    folder,
    worker: async () => /^Pid: (\d+)/m.exec(await runtime.run("show info"))?.[1] ?? "",
    restart: async () => {
      await kill(child);
      child = await launch();
    },
    close: async () => {
      await kill(child);
      await rm(folder, { recursive: true });
    },
  };
}

proxyContract("HAProxy", startHaproxy);

describe("HAProxy", function () {
  this.timeout(60_000);
  let haproxy: RunningHaproxy;
  let one: Upstream;
  let two: Upstream;
  beforeEach(async () => {
    [haproxy, one, two] = await Promise.all([startHaproxy(), Upstream.start("v1"), Upstream.start("v2")]);
  });
  afterEach(async () => Promise.all([haproxy.close(), one.stop(), two.stop()]));

  it("needs no reload for releases and apps; when its slots run out, a reload that nobody notices", async () => {
    const worker = await haproxy.worker();
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 1, releases: { 1: [one], 2: [two] } })]]),
      undefined,
    );
    const socket = await Upgraded.open(haproxy.port, "a");
    const load = startLoad(haproxy.port, "a", "/?ms=20");
    for (let app = 0; app < 30; app++) {
      await haproxy.proxy.apply(
        new Map([[`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [one] } })]]),
        undefined,
      );
    }
    expect(await haproxy.worker()).to.equal(worker);
    for (let app = 30; app < 40; app++) {
      await haproxy.proxy.apply(
        new Map([[`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [two] } })]]),
        undefined,
      );
    }
    expect(await haproxy.worker()).not.to.equal(worker);
    expect((await load.stop()).failures).to.deep.equal([]);
    expect(await socket.echo("unhurt")).to.equal("v1");
    expect(
      (await haproxy.proxy.loads(["a/v1"])).get("a/v1")?.connections,
      "counted in the old process too",
    ).to.equal(1);
    expect((await httpGet(haproxy.port, "/", { host: "b39.localhost" })).body).to.equal("v2");
    socket.close();
    await eventually(
      "the old process is done",
      async () => (await haproxy.proxy.loads(["a/v1"])).get("a/v1")?.connections === 0,
    );
  });

  it("would start with just what runs", async () => {
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 1, releases: { 1: [one] }, sticky: [1] })]]),
      "a/production",
    );
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 2, releases: { 1: [one], 2: [two] }, sticky: [1] })]]),
      "a/production",
    );
    const before = await files(haproxy.folder);
    await haproxy.restart();
    const again = new Haproxy({
      folder: haproxy.folder,
      bind: "127.0.0.1",
      port: haproxy.port,
      domain: "localhost",
      maxConnections: 1000,
    });
    expect([...(await again.apps())]).to.deep.equal(["a"]);
    expect((await httpGet(haproxy.port, "/", { host: "a.localhost" })).body).to.equal("v2");
    expect((await httpGet(haproxy.port, "/", { host: "localhost" })).body).to.equal("v2");
    expect(
      (await httpGet(haproxy.port, "/", { host: "a.localhost", cookie: "sluice=production.v1" })).body,
    ).to.equal("v1");
    await again.apply(
      new Map([["a", routesOf("a", { live: 2, releases: { 1: [one], 2: [two] }, sticky: [1] })]]),
      "a/production",
    );
    expect(await files(haproxy.folder)).to.deep.equal(before);
  });

  it("removes a server when its last connection has closed, and uses its slot again only then", async () => {
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 1, releases: { 1: [one] } })]]),
      undefined,
    );
    const socket = await Upgraded.open(haproxy.port, "a");
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 2, releases: { 2: [two] } })]]),
      undefined,
    );
    const servers = async (): Promise<string> =>
      new Runtime(join(haproxy.folder, "admin.sock")).run("show servers state");
    const place = one.address.replace("127.0.0.1:", " - ");
    expect(await servers()).to.include(place);
    expect((await readFile(join(haproxy.folder, "slots.map"), "utf8")).trim()).to.match(
      /^a\/v2 slot-00002\|/,
    );
    socket.close();
    await eventually("it is swept away", async () => {
      await haproxy.proxy.sweep();
      return !(await servers()).includes(place);
    });
  });

  it("uses its connections to an instance again", async () => {
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 1, releases: { 1: [one] } })]]),
      undefined,
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let index = 0; index < 50; index++) {
      await new Promise<void>((resolve, reject) => {
        const options = { port: haproxy.port, host: "127.0.0.1", agent, headers: { host: "a.localhost" } };
        get(options, (response) => response.resume().on("end", resolve)).on("error", reject);
      });
    }
    agent.destroy();
    const [header = "", row = ""] = (
      await new Runtime(join(haproxy.folder, "admin.sock")).run("show stat slot-00001 4 -1")
    ).split("\n");
    const columns = header.split(",");
    const [connects, reuses] = ["connect", "reuse"].map((name) =>
      Number(row.split(",")[columns.indexOf(name)]),
    );
    expect(connects).to.be.lessThan(5);
    expect(reuses).to.be.greaterThan(45);
  });

  it("repeats a GET that an instance dropped, never a POST", async () => {
    await haproxy.proxy.apply(
      new Map([["a", routesOf("a", { live: 1, releases: { 1: [one] } })]]),
      undefined,
    );
    expect((await httpGet(haproxy.port, "/hang-up", { host: "a.localhost" })).status).to.equal(502);
    expect(one.requests).to.be.greaterThan(1);
    const before = one.requests;
    const status = await new Promise((resolve, reject) => {
      const post = request(
        {
          port: haproxy.port,
          host: "127.0.0.1",
          path: "/hang-up",
          method: "POST",
          headers: { host: "a.localhost" },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      post.on("error", reject);
      post.end("once");
    });
    expect([status, one.requests - before]).to.deep.equal([502, 1]);
  });

  it("says so when it is not there, and is followed again when it is back", async () => {
    const gone = new Haproxy({
      folder: join(haproxy.folder, "nowhere"),
      bind: "127.0.0.1",
      port: 1,
      domain: "localhost",
      maxConnections: 100,
    });
    const error: unknown = await gone.apps().catch((reason: unknown) => reason);
    expect(String(error)).to.include("HAProxy refused");
  });
});

/** All that HAProxy reads, by name; lines of maps in any order. */
async function files(folder: string): Promise<Record<string, string>> {
  const names = [
    ...(await readdir(folder)).filter((name) => name.endsWith(".map")),
    ...(await readdir(join(folder, "slots"))).map((name) => `slots/${name}`),
  ];
  const texts = await Promise.all(
    names
      .sort()
      .map(
        async (name) =>
          [name, (await readFile(join(folder, name), "utf8")).split("\n").sort().join("\n")] as const,
      ),
  );
  return Object.fromEntries(texts);
}
