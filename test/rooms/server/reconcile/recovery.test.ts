import { expect } from "chai";
import { mkdir, symlink } from "node:fs/promises";
import { deferred } from "../../../../core/async/deferred.js";
import { keys } from "../../../../core/redis/keys.js";
import { withLive, withoutRelease } from "../../../../server/routes/route-changes.js";
import { beginRecovery } from "../../../../server/reconcile/recovery/recover.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

const NEVER = new AbortController().signal;

const ROOT = { kind: "tree", folder: "/", at: "/" } as const;
const LIMITS = { memoryMegabytes: 64, processes: 50, scratchMegabytes: 1 };

describe("the recovery of an app", function () {
  this.timeout(60_000);
  let pipeline: TestPipeline;
  beforeEach(async () => {
    pipeline = await TestPipeline.start();
    await pipeline.release(await pipeline.commit());
  });
  afterEach(async () => pipeline.stop());

  it("comes before whatever is asked for, and is done once", async () => {
    await leaveHalfDone();
    await pipeline.serverAnew();
    const { tools, pipeline: itself } = pipeline.parts;
    await beginRecovery(tools, itself);
    expect(tools.recovering.names()).to.deep.equal(["shop"]);
    itself.resolvePostponed();
    const asked = pipeline.exclusively(async () => pipeline.phases());
    await tools.recovering.wait("shop", NEVER);
    expect(await asked).to.deep.equal(["v2 failed", "v1 settled"]);
    expect(tools.recovering.names()).to.deep.equal([]);
    const undone = await tools.releases.find("shop", 2);
    await pipeline.recover();
    expect(await tools.releases.find("shop", 2)).to.deep.equal(undone);
  });

  it("waits for the lock of another server, until that has run out", async () => {
    await leaveHalfDone();
    const holder = { token: "t", who: "another server", since: new Date().toISOString(), why: "a push" };
    await pipeline.direct.set(keys.lock("shop"), JSON.stringify(holder), "PX", 1500);
    await pipeline.serverAnew();
    await pipeline.recover();
    expect(await pipeline.phases()).to.deep.equal(["v2 failed", "v1 settled"]);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
  });

  it("starts what the machine's restart has ended, and stops what no table names, whatever else goes on", async () => {
    const { engine, home } = pipeline.parts.tools;
    await engine.stop("shop.v1.web.1", 0);
    const stray = { app: "shop", command: "exec sleep 1000", artifact: ROOT, env: {} } as const;
    for (const id of ["shop.v7.web.1", "gone.v1.web.1"])
      await engine.start({ ...stray, id, limits: LIMITS, listen: "nothing" });
    await pipeline.serverAnew();
    const { tools, pipeline: itself } = pipeline.parts;
    await beginRecovery(tools, itself);
    const pushed = pipeline.release(await pipeline.commit());
    await pushed;
    await eventually("the strays are stopped", () => {
      expect(pipeline.running()).to.deep.equal(["shop.v1.web.1", "shop.v2.web.1"]);
      return true;
    });
    expect(await pipeline.hasTree(1)).to.equal(true);
    expect(home.root).to.equal(tools.home.root);
  });

  it("retires a release whose instances a killed server had stopped already", async () => {
    await pipeline.release(await pipeline.commit());
    const { engine, routes } = pipeline.parts.tools;
    await routes.update("shop", (table) => withoutRelease(table, 1));
    await engine.stop("shop.v1.web.1", 0);
    await pipeline.serverAnew();
    await pipeline.recover();
    expect(await pipeline.phases()).to.deep.equal(["v2 settled", "v1 retired"]);
    expect((await pipeline.parts.tools.releases.find("shop", 1))?.instances).to.deep.equal([]);
  });

  it("takes over what the engine of earlier settings runs, which then goes", async () => {
    const former = await pipeline.otherEngine();
    await pipeline.recover();
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    await eventually("the former ones are stopped", () => former.instances.size === 0);
  });

  it("lets go what an engine of earlier settings still runs, though the server that took it over was killed", async () => {
    const former = await pipeline.otherEngine();
    await pipeline.recover();
    await eventually("the former ones are stopped", () => former.instances.size === 0);
    // As if that server had been killed before.
    const stray = { app: "shop", command: "exec sleep 1000", artifact: ROOT, env: {} } as const;
    for (const id of ["shop.v1.web.1", "shop.v7.web.1"])
      await pipeline.parts.tools.former?.engine.start({ ...stray, id, limits: LIMITS, listen: "port" });
    await pipeline.serverAnew();
    await pipeline.recover();
    await eventually("they are stopped, too", () => former.instances.size === 0);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
  });

  it("does not hold the others up when it fails for good, nor the pushes of its app", async () => {
    const { home } = pipeline.parts.tools;
    await symlink("/there/is/no/such/folder", `${home.releases("shop")}/v9`);
    await pipeline.direct.hset(keys.releases("shop"), "8", "{");
    await pipeline.serverAnew();
    await pipeline.recover();
    await pipeline.direct.hdel(keys.releases("shop"), "8");
    await pipeline.release(await pipeline.commit());
    expect(await pipeline.tracks()).to.deep.equal({ production: 2 });
  });

  for (const [what, key] of Object.entries({ record: keys.apps, routes: keys.routes }))
    it(`leaves alone an app whose ${what} cannot be read, and does not hold up the others`, async () => {
      const { tools } = pipeline.parts;
      await tools.apps.ensure("torn", { by: "me" });
      await pipeline.direct.hset(key, "torn", "{");
      const stray = { app: "torn", command: "exec sleep 1000", artifact: ROOT, env: {} } as const;
      await tools.engine.start({
        ...stray,
        id: "torn.v1.web.1",
        limits: LIMITS,
        listen: "nothing",
      });
      await tools.engine.stop("shop.v1.web.1", 0);
      await pipeline.serverAnew();
      await pipeline.recover();
      expect(pipeline.running()).to.deep.equal(["shop.v1.web.1", "torn.v1.web.1"]);
      expect((await pipeline.parts.tools.apps.ensure("new", { by: "me" })).name).to.equal("new");
      expect(await pipeline.direct.hget(key, "torn")).to.equal("{");
    });

  it("is not held up by however many others that hang", async () => {
    const { tools, pipeline: itself } = pipeline.parts;
    const hanging = Array.from({ length: 20 }, (_, index) => `hangs-${index}`);
    for (const app of hanging) {
      await tools.apps.ensure(app, { by: "me" });
      await mkdir(tools.home.repository(app), { recursive: true });
      const draft = await tools.releases.draft({
        ...{ app, commit: "c", branch: "master", track: "production", source: "push", by: "me" },
        ...{ steps: "deploy", processes: [{ name: "web", command: "x", quantity: 1 }] },
      });
      const record = { ...draft, phase: "settled" as const };
      await tools.routes.update(app, (table) => withLive(table, record, Date.now()), [record]);
    }
    const hang = deferred<never>();
    const start = tools.engine.start.bind(tools.engine);
    tools.engine.start = async (spec) => (spec.app.startsWith("hangs-") ? hang.promise : start(spec));
    await tools.engine.stop("shop.v1.web.1", 0);
    await beginRecovery(tools, itself);
    await tools.recovering.wait("shop", AbortSignal.timeout(20_000));
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    expect(tools.recovering.names()).to.have.members(hanging);
  });

  it("goes on when Redis is back", async () => {
    await leaveHalfDone();
    await pipeline.serverAnew();
    const { tools, pipeline: itself } = pipeline.parts;
    await beginRecovery(tools, itself);
    pipeline.wire.away();
    await eventually("it has begun", () => tools.recovering.has("shop"));
    pipeline.wire.back();
    await tools.recovering.wait("shop", NEVER);
    expect(await pipeline.phases()).to.deep.equal(["v2 failed", "v1 settled"]);
  });

  /** As a server that is killed between the health check and git's answer. */
  async function leaveHalfDone(): Promise<void> {
    const reached = deferred<undefined>();
    const commit = await pipeline.commit();
    pipeline
      .exclusively(async (signal) => {
        const work = await pipeline.begin(commit, { branch: "master", track: "production" });
        await pipeline.parts.pipeline.toHealthy(work, signal);
        reached.resolve(undefined);
        await new Promise<void>(() => undefined);
      })
      .catch(() => undefined);
    await reached.promise;
  }
});
