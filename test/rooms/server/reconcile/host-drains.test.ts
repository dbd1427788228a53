import { expect } from "chai";
import { rollback } from "../../../../server/pipeline/operations/rollback.js";
import { Output } from "../../../../server/pipeline/output.js";
import type { EngineHost, EngineHosts } from "../../../../server/engines/engine-hosts.js";
import { HostDrains } from "../../../../server/reconcile/host-drains.js";
import { FakeCluster, WanderingEngine } from "../../../support/fakes/wandering-engine.js";
import { TINY_SERVER } from "../../../support/git/tiny-app.js";
import { eventually } from "../../../support/eventually.js";
import { throughout } from "../../../support/throughout.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

const PATIENCE_MS = 15_000;
/** So long that whoever moves instances has looked. */
const LOOKS_MS = 500;
const HOSTS = ["host-1", "host-2", "host-3"];

describe("a host that drains", function () {
  this.timeout(60_000);
  let pipeline: TestPipeline;
  let cluster: FakeCluster;
  let engine: WanderingEngine;
  let drains: HostDrains;
  let running: { stop(): Promise<void> };
  /** The host that drains, as the engine tells of it. */
  let draining: string | undefined;
  let others: Partial<EngineHost>;

  beforeEach(async () => {
    [cluster, draining, others] = [new FakeCluster(), undefined, {}];
    pipeline = await TestPipeline.start({
      makeEngine: (machine, ports) => (engine = new WanderingEngine(machine, ports, cluster)),
    });
    begin();
  });
  afterEach(async () => {
    await running.stop();
    await pipeline.stop();
  });

  it("is left by a lone instance once another serves, and again after that", async () => {
    await pipeline.release(await pipeline.commit());
    await drainHostOf("shop.v1.web.1");
    await only("shop.v1.web.2");
    await drainHostOf("shop.v1.web.2");
    await only("shop.v1.web.1");
  });

  it("is left by a release on standby: a rollback starts nothing", async () => {
    await pipeline.release(await pipeline.commit());
    await pipeline.release(await pipeline.commit());
    await drainHostOf("shop.v1.web.1");
    await only("shop.v1.web.2", "shop.v2.web.1");
    draining = undefined;
    await rollback(pipeline.parts.pipeline, "shop", new Output(), { signal: new AbortController().signal });
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.2", "shop.v2.web.1"]);
    expect(await pipeline.tracks()).to.deep.equal({ production: 1 });
  });

  it("keeps an instance whose replacement does not start, and says why; nothing is left of that", async () => {
    const server = `if (process.env.DYNO !== "web.1") process.exit(3);${TINY_SERVER}`;
    await pipeline.release(await pipeline.commit({ "server.js": server }));
    await drainHostOf("shop.v1.web.1");
    await eventually(
      "the problem is told",
      () => drains.problemOf("shop.v1.web.1")?.message.includes("ended (status 3)"),
      PATIENCE_MS,
    );
    await only("shop.v1.web.1");
    draining = undefined;
    drains.wake();
    await eventually("there is no problem", () => drains.problemOf("shop.v1.web.1") === undefined);
  });

  it("keeps what has no room elsewhere, and what may be elsewhere already", async () => {
    await pipeline.release(await pipeline.commit());
    others = { takesInstances: false };
    await drainHostOf("shop.v1.web.1");
    await eventually("the problem is told", () => drains.problemOf("shop.v1.web.1")?.code === "host-no-room");
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
  });

  it("waits for a release that is under way, and moves what that has started there", async () => {
    await pipeline.release(await pipeline.commit());
    const commit = await pipeline.commit();
    await pipeline.release(commit, {
      beforeSwitch: async () => {
        await drainHostOf("shop.v2.web.1");
        const end = Date.now() + LOOKS_MS;
        await throughout(
          () => Date.now() >= end,
          () => {
            expect(pipeline.running()).to.include("shop.v2.web.1").and.not.include("shop.v2.web.2");
          },
        );
      },
    });
    await eventually(
      "it has moved",
      () => pipeline.running().includes("shop.v2.web.2") && !pipeline.running().includes("shop.v2.web.1"),
      PATIENCE_MS,
    );
  });

  it("is left though the answer to the switch got lost, and nothing runs twice", async () => {
    await pipeline.release(await pipeline.commit());
    const lost = pipeline.wire.loseAnswer(isChange, { thenAway: true });
    await drainHostOf("shop.v1.web.1");
    await lost;
    await eventually(
      "nobody knows whether it was written",
      () => drains.problemOf("shop.v1.web.1")?.code === "redis-unavailable",
      PATIENCE_MS,
    );
    pipeline.wire.back();
    await only("shop.v1.web.2");
  });

  it("is left by the next server when one is killed before the switch, or after it", async () => {
    await pipeline.release(await pipeline.commit());
    for (const moment of ["before", "after"]) {
      const [before = ""] = pipeline.running();
      await drainHostOf(before);
      await eventually(
        "the replacement runs",
        () => pipeline.running().length === 2 && (moment === "before" || pipeline.running().includes(before)),
        PATIENCE_MS,
      );
      if (moment === "after") await routedWithout(before);
      const killed = running;
      await pipeline.serverAnew();
      begin();
      await pipeline.recover();
      await eventually(
        "one is left, elsewhere",
        async () => {
          drains.wake();
          const [left, ...more] = await engine.list();
          return more.length === 0 && left?.host !== draining && left?.id !== before;
        },
        PATIENCE_MS,
      );
      await killed.stop();
    }
  });

  function begin(): void {
    const { tools, pipeline: itself } = pipeline.parts;
    drains = new HostDrains(tools, itself, hosts());
    running = drains.start();
  }

  /** What the engine tells of the fake's hosts. */
  function hosts(): EngineHosts {
    return {
      list: async () => {
        const states = await engine.list();
        return HOSTS.map((name): EngineHost => {
          const isDraining = name === draining;
          return {
            ...{ id: name, name, address: "", roles: [], isServer: false, state: "ready" },
            ...{ takesInstances: !isDraining, draining: isDraining },
            instances: states.filter(({ host }) => host === name).map(({ id }) => id),
            ...(isDraining ? {} : others),
          };
        });
      },
      joinToken: async () => Promise.reject(new Error("not asked for here")),
      labelRoles: async () => Promise.resolve(),
      setDraining: async () => Promise.resolve(),
      remove: async () => Promise.resolve(),
    };
  }

  async function drainHostOf(id: string): Promise<void> {
    cluster.lost.clear();
    draining = (await engine.state(id))?.host;
    // It takes nothing new.
    cluster.lost.add(draining ?? "");
    drains.wake();
  }

  async function routedWithout(id: string): Promise<void> {
    await eventually("it is out of the routes", async () => {
      const { releases } = await pipeline.parts.tools.routes.read("shop");
      return !releases.some(({ servers }) => servers.some((server) => server.id === id));
    });
  }

  /** These run, the routes and the records name them, and no other runs. */
  async function only(...ids: string[]): Promise<void> {
    await eventually(
      () => `only ${ids.join(", ")} run: ${pipeline.running().join(", ")}`,
      () => pipeline.running().join() === ids.join(),
      PATIENCE_MS,
    );
    const { routes, releases } = pipeline.parts.tools;
    const table = await routes.read("shop");
    const named = table.releases.flatMap(({ servers }) => servers.map(({ id }) => id));
    const recorded = (await releases.list("shop")).flatMap(({ instances }) => instances.map(({ id }) => id));
    expect([named.sort(), recorded.sort()]).to.deep.equal([ids, ids]);
  }
});

/** Of the table and the record at once. */
function isChange(request: readonly string[]): boolean {
  return request[0] === "eval" && request.includes("sluice:routes-changed");
}
