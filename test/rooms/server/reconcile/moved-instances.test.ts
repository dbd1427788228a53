import { expect } from "chai";
import { isAppError } from "../../../../core/errors/app-error.js";
import { Output } from "../../../../server/pipeline/output.js";
import { rollback } from "../../../../server/pipeline/operations/rollback.js";
import { scaleProduction } from "../../../../server/pipeline/operations/scale.js";
import { MovedInstances } from "../../../../server/reconcile/moved-instances.js";
import { ask } from "../../../support/network/ask.js";
import { eventually } from "../../../support/eventually.js";
import { throughout } from "../../../support/throughout.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";
import { FakeCluster, WanderingEngine } from "../../../support/fakes/wandering-engine.js";

const signal = new AbortController().signal;
/** So long that who follows moves has looked twice. */
const LOOKS_MS = 2500;

describe("with an engine that places instances late, moves them and is away at times", function () {
  this.timeout(60_000);
  let pipeline: TestPipeline;
  let cluster: FakeCluster;
  let engine: WanderingEngine;
  let follower: { stop(): Promise<void> };

  beforeEach(async () => {
    cluster = new FakeCluster();
    pipeline = await TestPipeline.start({
      makeEngine: (machine, ports) => (engine = new WanderingEngine(machine, ports, cluster)),
    });
    follow();
    await pipeline.release(await pipeline.commit());
  });
  afterEach(async () => {
    cluster.isAway = false;
    await follower.stop();
    await pipeline.stop();
  });

  it("a push is live where its instance was placed", async () => {
    expect(await pipeline.phases()).to.deep.equal(["v1 settled"]);
    expect(await serving()).to.deep.equal(await placed());
    await answers();
  });

  it("an instance that moves is found at its new address, by the routes and by the record", async () => {
    const [before] = await serving();
    await engine.move("shop.v1.web.1");
    await followed();
    expect((await serving())[0]).not.to.equal(before);
    await answers();
  });

  it("an instance that moves while it is checked is checked where it went", async () => {
    const files = { "server.js": SLOW };
    const release = pipeline.release(await pipeline.commit(files));
    await eventually(
      "it has an address",
      async () => (await engine.state("shop.v2.web.1"))?.address !== undefined,
    );
    await engine.move("shop.v2.web.1");
    await release;
    expect(await pipeline.tracks()).to.deep.equal({ production: 2 });
    await followed(2);
    await answers();
  });

  it("production is scaled up and down", async () => {
    const { pipeline: itself } = pipeline.parts;
    const scale = async (web: number): Promise<unknown> =>
      scaleProduction(itself, { app: "shop", wanted: { web }, by: "me", reason: "", signal }, new Output());
    await scale(3);
    expect(await serving())
      .to.have.length(3)
      .and.deep.equal(await placed());
    await engine.move("shop.v1.web.2");
    await scale(2);
    await followed();
    await eventually("the third has left", async () => (await engine.list()).length === 2);
    await answers();
  });

  it("an instance that moved, and is started again elsewhere, is found where it is now", async () => {
    const { pipeline: itself } = pipeline.parts;
    const scale = async (web: number): Promise<unknown> =>
      scaleProduction(itself, { app: "shop", wanted: { web }, by: "me", reason: "", signal }, new Output());
    await scale(2);
    await engine.move("shop.v1.web.2");
    await followed();
    await scale(1);
    await eventually("it is stopped", async () => (await engine.list()).length === 1);
    await scale(2);
    const end = Date.now() + LOOKS_MS;
    await throughout(
      () => Date.now() >= end,
      async () => {
        expect(await serving()).to.deep.equal(await placed());
      },
    );
    await answers();
  });

  it("a rollback goes back to the release, wherever its instances are by then", async () => {
    await pipeline.release(await pipeline.commit());
    await engine.move("shop.v1.web.1");
    const { pipeline: itself } = pipeline.parts;
    await rollback(itself, "shop", new Output(), { signal });
    expect(await pipeline.tracks()).to.deep.equal({ production: 1 });
    await followed(1);
    await answers();
  });

  it("what ran on a host that is lost serves from the others", async () => {
    const host = (await engine.state("shop.v1.web.1"))?.host ?? "";
    expect(await engine.loseHost(host)).to.include("shop.v1.web.1");
    await followed();
    expect((await engine.state("shop.v1.web.1"))?.host).not.to.equal(host);
    await answers();
  });

  it("an engine that does not answer fails a push in the end, and nothing is taken for gone", async () => {
    const before = await serving();
    cluster.isAway = true;
    const commit = await pipeline.commit();
    const short = AbortSignal.timeout(1500);
    const failure = await pipeline.release(commit, { stop: short }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure, "the push").to.be.instanceOf(Error);
    expect(await serving()).to.deep.equal(before);
    cluster.isAway = false;
    await eventually("what it began is taken back", async () => {
      pipeline.parts.pipeline.resolvePostponed();
      return (await pipeline.phases())[0] === "v2 failed";
    });
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    await answers();
  });

  it("a short absence only delays a push", async () => {
    cluster.isAway = true;
    const release = pipeline.release(await pipeline.commit());
    await eventually("it is built", async () => (await pipeline.phases())[0] === "v2 built");
    cluster.isAway = false;
    await release;
    expect(await pipeline.tracks()).to.deep.equal({ production: 2 });
  });

  it("a server that starts while the engine is away changes nothing, and recovers its apps afterwards", async () => {
    await follower.stop();
    cluster.isAway = true;
    await pipeline.serverAnew();
    follow();
    const before = await serving();
    const recovery = pipeline.recover();
    const isEarly = await Promise.race([
      recovery.then(() => true),
      new Promise((resolve) => setTimeout(() => resolve(false), 500)),
    ]);
    expect(isEarly).to.equal(false);
    expect(await serving()).to.deep.equal(before);
    cluster.isAway = false;
    await engine.move("shop.v1.web.1");
    await recovery;
    await followed();
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    await answers();
  });

  it("a move while no server runs is found by the next one", async () => {
    await follower.stop();
    await engine.move("shop.v1.web.1");
    await pipeline.serverAnew();
    follow();
    await pipeline.recover();
    await followed();
    await answers();
  });

  it("an instance is stopped once the engine answers again", async () => {
    const { leaving, routes } = pipeline.parts.tools;
    cluster.isAway = true;
    leaving.begin("shop.v1.web.1", { goneSince: await routes.revisionOf("shop"), drainSeconds: 0 });
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    cluster.isAway = false;
    await eventually("it is stopped", () => pipeline.running().length === 0);
  });

  it("says of an engine that is away that it does not answer", async () => {
    cluster.isAway = true;
    const error = await engine.list().catch((reason: unknown) => reason);
    expect(isAppError(error, "engine-unavailable")).to.equal(true);
  });

  function follow(): void {
    const { tools, pipeline: itself } = pipeline.parts;
    follower = new MovedInstances(tools, itself).start();
  }

  /** The addresses that the proxies are told, of production's release. */
  async function serving(): Promise<string[]> {
    const { releases, tracks } = await pipeline.parts.tools.routes.read("shop");
    return (
      releases.find(({ number }) => number === tracks["production"])?.servers.map(({ address }) => address) ??
      []
    );
  }

  /** Where the instances of a release are. */
  async function placed(release = 1): Promise<(string | undefined)[]> {
    const states = await engine.list();
    return states.filter(({ id }) => id.startsWith(`shop.v${release}.`)).map(({ address }) => address);
  }

  /** Routes and record say where the instances are. */
  async function followed(release = 1): Promise<void> {
    await eventually("it was followed", async () => {
      expect(await serving()).to.deep.equal(await placed(release));
      const record = await pipeline.parts.tools.releases.find("shop", release);
      expect(record?.instances.map(({ address }) => address)).to.deep.equal(await placed(release));
      return true;
    });
  }

  async function answers(): Promise<void> {
    for (const address of await serving())
      await eventually(
        `an answer from ${address}`,
        async () => (await ask(address, { path: "/" })).status === 200,
      );
  }
});

/** Listens after a second. */
const SLOW = `
const { createServer } = require("node:http");
setTimeout(() => createServer((request, response) => response.end("slow")).listen(process.env.PORT), 1000);
`;
