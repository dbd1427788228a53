import { expect } from "chai";
import { mkdir, readFile, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, isAppError } from "../../../../core/errors/app-error.js";
import { deferred } from "../../../../core/async/deferred.js";
import type { ProxyReport } from "../../../../core/records/routes/proxy-reports.js";
import { keys } from "../../../../core/redis/keys.js";
import type { AppEvent } from "../../../../server/events/app-event.js";
import type { ServerParts } from "../../../../server/assemble.js";
import { Output } from "../../../../server/pipeline/output.js";
import { promote } from "../../../../server/pipeline/operations/promote.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

describe("a release's steps", function () {
  this.timeout(60_000);
  let pipeline: TestPipeline;
  afterEach(async () => pipeline.stop());

  const slow: Record<string, { limits: object; step: string; files: Record<string, string> }> = {
    gatesSeconds: {
      ...{ limits: { gatesSeconds: 1 }, step: "gates" },
      files: { "app.json": '{"sluice": {"gates": {"slow": "sleep 300"}}}' },
    },
    buildSeconds: {
      ...{ limits: { buildSeconds: 1 }, step: "build" },
      files: { "app.json": '{"scripts": {"dokku": {"predeploy": "sleep 300"}}}' },
    },
    releaseSeconds: {
      ...{ limits: { releaseSeconds: 1 }, step: "start" },
      files: { Procfile: "web: node server.js\nrelease: sleep 300\n" },
    },
  };
  for (const [limit, { limits, step, files }] of Object.entries(slow)) {
    it(`end by their deadline, and the release is taken back (${limit})`, async function () {
      this.timeout(30_000);
      pipeline = await TestPipeline.start({ limits });
      const error = await failureOf(pipeline.release(await pipeline.commit(files)));
      expect(isAppError(error, "step-timeout"), String(error)).to.equal(true);
      expect(String(error)).to.include(step);
      expect(await pipeline.phases()).to.deep.equal(["v1 failed"]);
      expect(await pipeline.hasTree(1)).to.equal(false);
      expect(pipeline.running()).to.deep.equal([]);
    });
  }

  it("are broken off when the right to release is lost at work, and undone once it is there again", async () => {
    pipeline = await TestPipeline.start();
    const files = { "app.json": '{"sluice": {"gates": {"slow": "echo it began; sleep 300"}}}' };
    const release = failureOf(pipeline.release(await pipeline.commit(files)));
    await eventually("a gate runs", () => pipeline.said.some((line) => line.includes("it began")));
    await pipeline.direct.del(keys.lock("shop"));
    const error = await release;
    expect(isAppError(error, "release-lock-lost"), String(error)).to.equal(true);
    expect(await pipeline.phases()).to.deep.equal(["v1 installed"]);
    await eventually("it is undone", async () => {
      pipeline.parts.pipeline.resolvePostponed();
      return (await pipeline.phases()).join() === "v1 failed";
    });
  });

  it("undo nothing when one fails after the switch", async () => {
    pipeline = await TestPipeline.start();
    const beforeSwitch = async (): Promise<void> => breakSettling();
    const error = await failureOf(pipeline.release(await pipeline.commit(), { beforeSwitch }));
    // It is told as what it is, not as a doubt about the switch.
    expect(isAppError(error, "release-in-doubt"), String(error)).to.equal(false);
    expect(await pipeline.phases()).to.deep.equal(["v1 live"]);
    expect(await pipeline.tracks()).to.deep.equal({ production: 1 });
    expect(await pipeline.hasTree(1)).to.equal(true);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
  });

  it("that fail after the switch are tried again, but for the scripts that ran", async () => {
    pipeline = await TestPipeline.start();
    const { home } = pipeline.parts.tools;
    const runs = join(pipeline.folder, "runs");
    const scripts = { dokku: { postdeploy: `echo once >>${runs}` } };
    const caches = join(home.cache("shop"), "dependencies");
    const inTheWay = join(caches, "points-nowhere");
    const beforeSwitch = async (): Promise<void> => {
      await mkdir(caches, { recursive: true });
      await symlink("/there/is/no/such/file", inTheWay);
    };
    const commit = await pipeline.commit({ "app.json": JSON.stringify({ scripts }) });
    await failureOf(pipeline.release(commit, { beforeSwitch }));
    expect(await pipeline.phases()).to.deep.equal(["v1 live"]);
    await rm(inTheWay);
    await eventually("it is settled", async () => {
      pipeline.parts.pipeline.resolvePostponed();
      return (await pipeline.phases()).join() === "v1 settled";
    });
    expect(await readFile(runs, "utf8")).to.equal("once\n");
  });

  it("leave what a silent proxy may lead visitors to, when they are undone", async () => {
    pipeline = await TestPipeline.start();
    await pipeline.release(await pipeline.commit());
    const { tools, pipeline: itself } = pipeline.parts;
    const commit = await pipeline.commit();
    await pipeline.exclusively(async (signal) => {
      const work = await pipeline.begin(commit, { branch: "master", track: "production" });
      await itself.toHealthy(work, signal);
      await tools.proxyReports.report("far-away", await reportOf(tools));
      await itself.undo(work, new AppError("push-interrupted", {}));
    });
    expect(await pipeline.phases()).to.deep.equal(["v2 failed", "v1 settled"]);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1", "shop.v2.web.1"]);
    await tools.proxyReports.report("far-away", await reportOf(tools));
    await eventually("it is stopped", () => pipeline.running().join() === "shop.v1.web.1");
  });

  describe("that a killed server left", () => {
    let commit: string;
    beforeEach(async () => {
      pipeline = await TestPipeline.start();
      await pipeline.release(await pipeline.commit());
      await pipeline.followed();
      const url = "https://example.com/hook";
      await pipeline.parts.receivers.add("shop", { url, form: "standard", events: "all" });
      commit = await pipeline.commit();
    });

    it("healthy, before git has moved the branch: are undone", async () => {
      await killedWhen(async (reached) => {
        const work = await pipeline.begin(commit, { branch: "master", track: "production" });
        await pipeline.parts.pipeline.toHealthy(work, new AbortController().signal);
        reached();
      });
      expect(await pipeline.phases()).to.deep.equal(["v2 healthy", "v1 settled"]);
      await recovered();
      expect(await pipeline.phases()).to.deep.equal(["v2 failed", "v1 settled"]);
      expect(await pipeline.tracks()).to.deep.equal({ production: 1 });
      expect(await pipeline.hasTree(2)).to.equal(false);
      expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    });

    it("healthy, after git has moved the branch: are finished, and told", async () => {
      await killedWhen(async (reached) => {
        const work = await pipeline.begin(commit, { branch: "master", track: "production" });
        await pipeline.parts.pipeline.toHealthy(work, new AbortController().signal);
        await work.repository.setHead("master", commit);
        reached();
      });
      await recovered();
      expect(await pipeline.phases()).to.deep.equal(["v2 settled", "v1 settled"]);
      expect(await told()).to.deep.equal(["v2 release.live"]);
    });

    it("just after the switch, before anybody was told: are told, once", async () => {
      const lost = pipeline.wire.loseAnswer(
        (request) => request[0] === "eval" && request.some((word) => word.includes('"phase":"live"')),
        { thenAway: true },
      );
      const release = pipeline.release(commit).catch(() => undefined);
      await lost;
      await pipeline.parts.pipeline.stop();
      await release;
      expect(await pipeline.direct.exists("sluice:outbox:notify:jobs")).to.equal(0);
      pipeline.wire.back();
      await recovered();
      expect(await pipeline.phases()).to.deep.equal(["v2 settled", "v1 settled"]);
      expect(await told()).to.deep.equal(["v2 release.live"]);
    });

    it("just after a promotion's switch, before anybody was told: are told, once", async () => {
      await pipeline.release(commit, { branch: "staging", track: "canary" });
      const lost = pipeline.wire.loseAnswer(
        (request) => request[0] === "eval" && request.some((word) => word.includes('"production":2')),
        { thenAway: true },
      );
      const { pipeline: itself } = pipeline.parts;
      const stop = new AbortController();
      const promoted = promote(itself, "shop", new Output(), stop).catch(() => undefined);
      await lost;
      await itself.stop();
      await promoted;
      pipeline.wire.back();
      await recovered();
      expect(await pipeline.phases()).to.deep.equal(["v2 settled", "v1 settled"]);
      expect(await pipeline.tracks()).to.deep.equal({ production: 2 });
      expect(await told()).to.have.members(["v2 canary.live", "v2 canary.promoted"]);
      await recovered();
      expect(await told()).to.have.members(["v2 canary.live", "v2 canary.promoted"]);
    });

    it("after the switch was told: are not told again", async () => {
      await failureOf(pipeline.release(commit, { beforeSwitch: async () => breakSettling() }));
      expect(await pipeline.phases()).to.deep.equal(["v2 live", "v1 settled"]);
      await rm(brokenCache());
      await recovered();
      expect(await pipeline.phases()).to.deep.equal(["v2 settled", "v1 settled"]);
      expect(await told()).to.deep.equal(["v2 release.live"]);
    });
  });

  async function killedWhen(job: (reached: () => void) => Promise<void>): Promise<void> {
    const reached = deferred<undefined>();
    const never = new Promise<void>(() => undefined);
    pipeline
      .exclusively(async () => {
        await job(() => reached.resolve(undefined));
        await never;
      })
      .catch(() => undefined);
    await reached.promise;
  }

  /** Pruning the cache fails as long as this is in it. */
  async function breakSettling(): Promise<void> {
    await mkdir(dirname(brokenCache()), { recursive: true });
    await symlink("/there/is/no/such/folder", brokenCache());
  }

  function brokenCache(): string {
    return join(pipeline.parts.tools.home.cache("shop"), "dependencies", "broken");
  }

  async function recovered(): Promise<void> {
    await pipeline.serverAnew();
    await pipeline.recover();
  }

  /** What waits to be told, once all that happened is followed. */
  async function told(): Promise<string[]> {
    await pipeline.followed();
    const jobs = Object.values(await pipeline.direct.hgetall("sluice:outbox:notify:jobs"));
    return jobs.map((text) => {
      const { event } = (JSON.parse(text) as { payload: { event: AppEvent } }).payload;
      return `${event.release} ${event.type}`;
    });
  }
});

/** As a proxy that follows all tables there are now. */
async function reportOf({ routes }: ServerParts["tools"]): Promise<ProxyReport> {
  return {
    revision: await routes.revisionOf("shop"),
    ...{ failing: [], leaving: [], certificates: 0, refused: [] },
    hasSharedAddress: false,
  };
}

async function failureOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => expect.fail("it was done"),
    (error: unknown) => error,
  );
}
