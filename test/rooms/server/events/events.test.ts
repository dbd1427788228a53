import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { systemClock } from "../../../../core/clock.js";
import { deferred } from "../../../../core/async/deferred.js";
import { AppError } from "../../../../core/errors/app-error.js";
import { silentLog } from "../../../../core/log.js";
import type { EventRecord } from "../../../../core/records/events/event-record.js";
import type { Database } from "../../../../core/redis/database.js";
import { keys } from "../../../../core/redis/keys.js";
import { SecretBox } from "../../../../core/secrets.js";
import { AppStore } from "../../../../server/apps/app-store.js";
import { ConfigStore } from "../../../../server/apps/config-store.js";
import { abortByHand } from "../../../../server/canary/judging/abort-by-hand.js";
import { setShare } from "../../../../server/canary/judging/share.js";
import { EventStream } from "../../../../server/events/event-stream.js";
import { Followers, type Follower } from "../../../../server/events/followers.js";
import { FlagStore } from "../../../../server/flags/flag-store.js";
import { destroyApp } from "../../../../server/pipeline/operations/destroy-app.js";
import { promote } from "../../../../server/pipeline/operations/promote.js";
import { rollback } from "../../../../server/pipeline/operations/rollback.js";
import { scaleProduction } from "../../../../server/pipeline/operations/scale.js";
import { Output } from "../../../../server/pipeline/output.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

describe("the event stream", function () {
  this.timeout(60_000);

  describe("of releases", () => {
    let pipeline: TestPipeline;
    beforeEach(async () => (pipeline = await TestPipeline.start()));
    afterEach(async () => pipeline.stop());

    it("has each change once, though the answer of every script that says one is lost", async () => {
      const lost = [
        "release.queued",
        "release.live",
        "release.failed",
        "release.rolled-back",
        "scale.changed",
      ];
      const cuts = lost.map(async (type) => loseAnswerThatSays(type));
      // Its record is written, which it does not learn: it is taken back.
      await pipeline.release(await pipeline.commit()).catch(() => undefined);
      await resolved();
      await pipeline.release(await pipeline.commit());
      await pipeline.release(await pipeline.commit());
      const { pipeline: itself } = pipeline.parts;
      const signal = new AbortController().signal;
      await rollback(itself, "shop", new Output(), { signal, actor: { by: "ann" } });
      const scale = { app: "shop", wanted: { web: 2 }, by: "bob", reason: "asked for", signal };
      await scaleProduction(itself, scale, new Output());
      await Promise.all(cuts);
      expect(await pipeline.events()).to.deep.equal([
        ...["app.created by me", "v1 release.queued by me", "v1 release.failed by me"],
        ...["v2 release.queued by me", "v2 release.live by me", "v3 release.queued by me"],
        ...["v3 release.live by me", "v2 release.rolled-back by ann", "v2 scale.changed by bob"],
      ]);
    });

    it("has what becomes of a canary, once, and who did it", async () => {
      await pipeline.release(await pipeline.commit());
      const cuts = ["share.changed", "canary.promoted", "canary.aborted", "app.destroyed"].map(async (type) =>
        loseAnswerThatSays(type),
      );
      const { tools, pipeline: itself } = pipeline.parts;
      const canary = { branch: "staging", track: "canary" };
      await pipeline.release(await pipeline.commit(), canary);
      await twice(async () => setShare(tools, "shop", 10, { by: "ann" }));
      await promote(itself, "shop", new Output(), {
        signal: new AbortController().signal,
        actor: { by: "ann" },
      });
      await pipeline.release(await pipeline.commit(), canary);
      await twice(async () => abortByHand(tools, "shop", { by: "bob" }));
      await twice(async () => destroyApp(itself, "shop", { by: "bob" }));
      await Promise.all(cuts);
      const events = await pipeline.events();
      expect(events.slice(3).filter((event) => !event.includes("release.retired"))).to.deep.equal([
        ...["v2 release.queued by me", "v2 canary.live by me", "v2 share.changed by ann"],
        ...["v2 canary.promoted by ann", "v3 release.queued by me", "v3 canary.live by me"],
        ...["v3 canary.aborted by bob", "app.destroyed by bob"],
      ]);
    });

    it("is followed by the next server, where one was killed right after an abort", async () => {
      await pipeline.release(await pipeline.commit());
      await pipeline.release(await pipeline.commit(), { branch: "staging", track: "canary" });
      await pipeline.followed();
      expect(await pipeline.parts.canaries.find("shop", 2)).to.include({ beside: 1 });
      const url = "https://example.com/hook";
      await pipeline.parts.receivers.add("shop", { url, form: "standard", events: "all" });
      const lost = pipeline.wire.loseAnswer(says("canary.aborted"), { thenAway: true });
      const aborted = abortByHand(pipeline.parts.tools, "shop", { by: "bob" }).catch(() => undefined);
      await lost;
      await aborted;
      expect(await pipeline.direct.exists("sluice:outbox:notify:jobs")).to.equal(0);
      pipeline.wire.back();
      for (let server = 0; server < 2; server++) {
        await pipeline.serverAnew();
        await pipeline.followed();
        const [job, ...others] = await pipeline.direct.hvals("sluice:outbox:notify:jobs");
        expect(others).to.deep.equal([]);
        expect(job).to.include('"type":"canary.aborted"').and.include("Aborted by hand (bob).");
      }
    });

    it("has nothing of a switch that was not made", async () => {
      const error = pipeline.release(await pipeline.commit(), {
        beforeSwitch: async () => {
          await pipeline.direct.set(keys.lock("shop"), JSON.stringify({ token: "another's" }));
        },
      });
      await error.catch(() => undefined);
      expect(await pipeline.events()).to.deep.equal(["app.created by me", "v1 release.queued by me"]);
    });

    async function loseAnswerThatSays(type: string): Promise<void> {
      return pipeline.wire.loseAnswer(says(type));
    }

    function says(type: string): (request: readonly string[]) => boolean {
      return ([command, ...words]) =>
        command === "eval" && words.some((word) => word.includes(`"${type}\\"`));
    }

    /** The second time as whoever got no answer. */
    async function twice(change: () => Promise<unknown>): Promise<void> {
      for (let time = 0; time < 2; time++) {
        await change().catch(() => undefined);
        await eventually("Redis answers", async () => pipeline.parts.tools.routes.read("shop"));
      }
    }

    async function resolved(): Promise<void> {
      await eventually("nothing is unfinished", async () => {
        await pipeline.parts.tools.routes.read("shop");
        pipeline.parts.pipeline.resolvePostponed();
        return (await pipeline.phases()).every((phase) => /settled|failed|retired/.test(phase));
      });
    }
  });

  describe("of settings", () => {
    let server: TestRedis;
    let redis: Database;
    let stream: EventStream;
    before(async () => {
      server = await TestRedis.start();
      redis = await server.connect();
      stream = new EventStream(redis);
    });
    beforeEach(async () => redis.flushall());
    after(async () => server.dispose());

    const told = async (): Promise<string[]> =>
      (await stream.last(100)).events.map(
        ({ app, type, by, data }) => `${app} ${type} ${(data.names ?? []).join()} by ${by}`,
      );

    it("names what was changed, and not what was set to what it is", async () => {
      const config = new ConfigStore(redis, new SecretBox(randomBytes(32)));
      await config.change("shop", { KEY: "secret", OTHER: "1" }, [], { by: "ann" });
      await config.change("shop", { KEY: "secret", OTHER: "2" }, ["GONE"], { by: "ann" });
      await config.change("shop", { KEY: "secret" }, ["GONE"], { by: "ann" });
      await config.change("shop", {}, ["KEY"], { by: "bob" });
      const flags = new FlagStore(redis, systemClock);
      await flags.set("shop", "beta", "true", { by: "ann" });
      await flags.set("shop", "beta", "true", { by: "ann" });
      await flags.unset("shop", "beta", { by: "bob" });
      expect(await told()).to.deep.equal([
        ...["shop config.changed KEY,OTHER by ann", "shop config.changed OTHER by ann"],
        ...[
          "shop config.changed KEY by bob",
          "shop flag.changed beta by ann",
          "shop flag.changed beta by bob",
        ],
      ]);
      expect(JSON.stringify(await redis.xrange(keys.events, "-", "+"))).not.to.include("secret");
    });

    it("has the making and the removal of an app once", async () => {
      const apps = new AppStore(redis, new SecretBox(randomBytes(32)), 1000, []);
      await Promise.all([apps.ensure("shop", { by: "ann" }), apps.ensure("shop", { by: "bob" })]);
      await apps.ensure("shop", { by: "bob" });
      await apps.remove("shop", { keepsNumbers: false, by: "bob" });
      await apps.remove("shop", { keepsNumbers: false, by: "bob" });
      expect((await told()).map((text) => text.replace(/ann$/, "bob"))).to.deep.equal([
        ...["shop app.created  by bob", "shop app.destroyed  by bob"],
      ]);
    });

    it("has no event of a record that another has written since it was read", async () => {
      const releases = new ReleaseStore(redis);
      const draft = await releases.draft({
        ...{ app: "shop", commit: "c", branch: "main", track: "production", source: "push", by: "me" },
        ...{ steps: "deploy", processes: [] },
      });
      await releases.save(draft);
      const failed = { ...draft, phase: "failed" as const };
      await Promise.all([1, 2, 3].map(async () => releases.save(failed)));
      expect((await stream.last(100)).events.map(({ type }) => type)).to.deep.equal([
        ...["release.queued", "release.failed"],
      ]);
    });
  });

  describe("is followed", () => {
    let server: TestRedis;
    let redis: Database;
    let apps: AppStore;
    let stream: EventStream;
    const open: { stop(): Promise<void> }[] = [];
    beforeEach(async () => {
      server = await TestRedis.start();
      redis = await server.connect();
      apps = new AppStore(redis, new SecretBox(randomBytes(32)), 1000, []);
      stream = new EventStream(redis);
      stream.start();
    });
    afterEach(async () => {
      for (const loop of open.splice(0)) await loop.stop();
      await stream.stop();
      await server.dispose();
    });

    const follow = (follower: Follower, name = "notify"): { stop(): Promise<void> } => {
      const followers = new Followers({ redis, stream, log: silentLog }, { [name]: follower });
      const loop = followers.start();
      open.push(loop);
      return loop;
    };
    const happens = async (...names: string[]): Promise<void> => {
      for (const name of names) await apps.ensure(name, { by: "me" });
    };
    const seen = (): { names: string[]; follower: Follower } => {
      const names: string[] = [];
      return { names, follower: async ({ app }: EventRecord) => void names.push(await Promise.resolve(app)) };
    };

    it("in order, by each at its own pace, within milliseconds", async () => {
      const [slow, fast] = [deferred<undefined>(), seen()];
      follow(async () => slow.promise, "reports");
      follow(fast.follower);
      await happens("a", "b");
      await eventually("both are seen", () => fast.names.length === 2);
      const began = performance.now();
      await happens("c");
      while (fast.names.length < 3) await new Promise((resolve) => setImmediate(resolve));
      expect(performance.now() - began).to.be.lessThan(200);
      expect(fast.names).to.deep.equal(["a", "b", "c"]);
      slow.resolve(undefined);
    });

    it("from where one that died in the middle was: what it had not done with comes again", async () => {
      const [first, reached] = [seen(), deferred<undefined>()];
      const dying = await server.connect();
      const followers = new Followers(
        { redis: dying, stream, log: silentLog },
        {
          notify: async (event) => {
            await first.follower(event);
            if (event.app !== "c") return;
            dying.disconnect();
            reached.resolve(undefined);
          },
        },
      );
      await happens("a", "b", "c", "d");
      const loop = followers.start();
      await reached.promise;
      await loop.stop();
      const second = seen();
      follow(second.follower);
      await eventually("the rest is seen", () => second.names.includes("d"));
      expect(second.names).to.deep.equal(["c", "d"]);
    });

    it("again and again where Redis does not answer, and past what cannot be handled", async () => {
      const { names, follower } = seen();
      let isAway = true;
      follow(async (event) => {
        await follower(event);
        if (event.app === "a" && isAway) {
          isAway = false;
          throw new AppError("redis-unavailable", { reason: "a test" });
        }
        if (event.app === "b") throw new Error("it is broken");
      });
      await happens("a", "b", "c");
      await eventually("the last is seen", () => names.includes("c"));
      expect(names).to.deep.equal(["a", "a", "b", "c"]);
    });

    it("over a Redis that was away, and past an entry that it cannot read", async () => {
      const { names, follower } = seen();
      follow(follower);
      await happens("a");
      await eventually("the first is seen", () => names.length === 1);
      // Otherwise it would be seen twice.
      await eventually("that is kept", async () => redis.hget(keys.eventCursors, "notify"));
      await server.down();
      await server.up();
      await eventually("Redis answers", async () => redis.ping());
      await redis.xadd(keys.events, "*", "event", '{"type":"of a later version"}');
      await happens("b");
      await eventually("the next is seen", () => names.length === 2);
      expect(names).to.deep.equal(["a", "b"]);
      const [last] = await redis.xrevrange(keys.events, "+", "-", "COUNT", 1);
      await eventually(
        "it is past",
        async () => (await redis.hget(keys.eventCursors, "notify")) === last?.[0],
      );
    });

    it("by whoever asks for the last ones of an app, too", async () => {
      await happens("a", "b", "c", "d");
      expect((await stream.last(2)).events.map(({ app }) => app)).to.deep.equal(["c", "d"]);
      const { events, cursor } = await stream.last(5, ({ app }) => app === "b");
      expect(events.map(({ app }) => app)).to.deep.equal(["b"]);
      expect((await stream.after(cursor)).events).to.deep.equal([]);
      expect((await stream.last(0)).events).to.deep.equal([]);
      const [first] = (await stream.last(4)).events;
      expect((await stream.after(first?.id ?? "")).events.map(({ app }) => app)).to.deep.equal([
        "b",
        "c",
        "d",
      ]);
    });
  });
});
