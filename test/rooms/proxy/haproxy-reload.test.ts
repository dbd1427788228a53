import { expect } from "chai";
import { readFile, writeFile } from "node:fs/promises";
import { Agent, createServer, type Server } from "node:http";
import { paths } from "../../../proxy/haproxy/config/paths.js";
import { WAKE_HEADER } from "../../../proxy/haproxy/config/text/wake-backend.js";
import { eventually } from "../../support/eventually.js";
import type { HttpAnswer } from "../../support/running/test-sluice.js";
import type { Upgraded } from "../../support/network/upgraded.js";
import type { Upstream } from "../../support/network/upstream.js";
import { splitRoutes } from "../../contract/proxy/split-app.js";
import { ProxyTrial, routesOf } from "../../contract/proxy/proxy-trial.js";
import { RunningHaproxy } from "../../contract/proxy/running-haproxy.js";

describe("HAProxy, after a reload", function () {
  this.timeout(60_000);
  const trial = new ProxyTrial(async () => RunningHaproxy.start());
  let one: Upstream;
  let two: Upstream;
  let waker: Server;
  let agent: Agent;
  let socket: Upgraded;
  beforeEach(async () => {
    await trial.begin();
    [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    waker = createServer((request, response) =>
      response.end(`woken ${String(request.headers[WAKE_HEADER])}`),
    );
    await new Promise<void>((resolve) => waker.listen(paths.wakeSocket(trial.running.folder), resolve));
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });
  afterEach(async () => {
    agent.destroy();
    waker.closeAllConnections();
    await new Promise((resolve) => waker.close(resolve));
    await trial.end();
  });

  it("tells of a server that leaves while something is open on it in the old process", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one, two] } }));
    const sockets = [await trial.upgraded("a"), await trial.upgraded("a")];
    expect([one.open, two.open]).to.deep.equal([1, 1]);
    await trial.proxy.reload();
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    expect(await trial.proxy.leaving()).to.deep.equal([two.address]);
    await trial.proxy.sweep();
    expect(await trial.proxy.leaving(), "swept").to.deep.equal([two.address]);
    expect(await (await trial.running.again()).leaving(), "another driver").to.deep.equal([two.address]);
    for (const open of sockets) expect(await open.echo("still")).to.match(/^v[12]$/);
    for (const open of sockets) open.close();
    await swept();
  });

  it("goes on telling of one that had left before, and gives its slot to nobody else", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    socket = await trial.upgraded("a");
    await trial.apply("a", routesOf("a", { live: 2, releases: { 2: [two] } }));
    await trial.proxy.reload();
    expect(await trial.proxy.leaving()).to.deep.equal([one.address]);
    for (let app = 0; app < 40; app++)
      await trial.apply(`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [two] } }));
    const loads = await trial.proxy.loads(Array.from({ length: 40 }, (_, app) => `b${app}/v1`));
    expect(loads.size).to.equal(40);
    expect([...loads].filter(([, { connections }]) => connections > 0)).to.deep.equal([]);
    expect(await socket.echo("still")).to.equal("v1");
    socket.close();
    await swept();
  });

  it("leads a connection that was kept from before where it leads everybody", async () => {
    const releases = { 1: [one], 2: [two] };
    await trial.apply("a", routesOf("a", { live: 1, releases }));
    await keepOne();
    await trial.apply("a", routesOf("a", { live: 2, releases }));
    expect(await lastOfKept()).to.equal("v2");
  });

  it("passes its request on by the waker when the release has servers that the old process has not", async () => {
    for (const wanted of [
      { live: 2, releases: { 2: [two] } },
      { live: 1, releases: { 1: [two] } },
      { live: 1, releases: { 1: [one, two] } },
    ]) {
      await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
      await keepOne();
      await trial.apply("a", routesOf("a", wanted));
      expect(await lastOfKept()).to.equal(`woken a/v${wanted.live}`);
      expect((await trial.get("a")).body).to.match(/^v[12]$/);
    }
  });

  it("does so for a release whose slot was made by that reload", async () => {
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    await keepOne(false);
    for (let app = 0; app < 40; app++)
      await trial.apply(`b${app}`, routesOf(`b${app}`, { live: 1, releases: { 1: [two] } }));
    await trial.apply("a", routesOf("a", { live: 2, releases: { 2: [two] } }));
    expect(await lastOfKept()).to.equal("woken a/v2");
  });

  it("answers such a request 404 and 503 as any other, when the app or its servers are gone", async () => {
    for (const [routes, status] of [
      [routesOf("a", { live: 1, releases: { 1: [] } }), 503],
      [undefined, 404],
    ] as const) {
      await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
      await keepOne();
      await trial.apply("a", routes);
      expect((await visit()).status).to.equal(status);
      socket.close();
    }
  });

  it("leads one of a version before that knew fewer maps, after an upgrade", async () => {
    const configuration = paths.configuration(trial.running.folder);
    const text = await readFile(configuration, "utf8");
    const mapOfLimits = /^.*limits\.map.*\n/gm;
    expect(text).to.match(mapOfLimits);
    await writeFile(configuration, text.replace(mapOfLimits, ""));
    await trial.proxy.reload();
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    await keepOne(false);
    await writeFile(configuration, text);
    const upgraded = await trial.running.again();
    await upgraded.reload();
    const slow = { canary: [5, 9], production: [5, 9] };
    await upgraded.apply(
      new Map([["a", splitRoutes({ production: two, canary: one, share: 0, slow })]]),
      undefined,
    );
    expect(await trial.running.ask(`show map ${paths.map(trial.running.folder, "limits")}`)).to.include(
      "5|9",
    );
    expect(await lastOfKept()).to.equal("woken a/v1");
  });

  /** A connection that the visitor keeps, and one that makes the old process stay. */
  async function keepOne(reload = true): Promise<void> {
    socket = await trial.upgraded("a");
    expect((await visit()).body).to.equal("v1");
    if (reload) await trial.proxy.reload();
  }

  /** What the next request on it is answered: the old process says that it is the last one. */
  async function lastOfKept(): Promise<string> {
    const { body, headers } = await visit();
    expect(headers.connection).to.equal("close");
    socket.close();
    return body;
  }

  async function visit(): Promise<HttpAnswer> {
    return trial.ask({ headers: { host: "a.localhost" }, agent });
  }

  async function swept(): Promise<void> {
    await eventually("nothing is left", async () => {
      await trial.proxy.sweep();
      return (await trial.proxy.leaving()).length === 0;
    });
  }
});
