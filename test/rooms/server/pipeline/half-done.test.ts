import { expect } from "chai";
import { systemClock } from "../../../../core/clock.js";
import { silentLog } from "../../../../core/log.js";
import { emptyRouteTable, type RoutedRelease } from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { Reconciler } from "../../../../server/reconcile/reconciler.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { RecoveringApps } from "../../../../server/releases/recovering-apps.js";
import { ReleaseTurns } from "../../../../server/releases/release-turns.js";
import type { ReconcileNeeds } from "../../../../server/reconcile/needs.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const REPLACED: RoutedRelease = {
  ...{ number: 1, track: "production", servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
  ...{
    expireSeconds: 0,
    since: 0,
    drainSeconds: 9,
    standbySeconds: 0,
    sessionIdleSeconds: 60,
    replacedAt: 1,
  },
};

describe("the retirement of a release that Redis interrupts", function () {
  this.timeout(20_000);
  let redis: TestRedis;
  before(async () => (redis = await TestRedis.start()));
  after(async () => redis.dispose());

  it("is finished at a later look, though no table names the release any more", async () => {
    const connection = await redis.connect();
    const releases = new ReleaseStore(connection);
    const draft = await releases.draft({
      ...{ app: "shop", commit: "c", branch: "main", track: "production", source: "push", by: "me" },
      ...{ steps: "deploy", processes: [{ name: "web", command: "x", quantity: 1 }] },
    });
    const instance = { id: "shop.v1.web.1", process: "web", index: 1, address: "127.0.0.1:1" };
    await releases.save({ ...draft, phase: "settled", instances: [instance] });
    const stopped: string[] = [];
    let refusals = 0;
    const isOut = async (): Promise<boolean> =>
      (await new RouteTables(connection).read("shop")).releases.length === 0;
    // What only asks Redis and the engine is enough for this.
    const tools = {
      ...{
        routes: new RouteTables(connection),
        releases,
        turns: new ReleaseTurns(),
        recovering: new RecoveringApps(),
        clock: systemClock,
      },
      ...{ log: silentLog, settings: { instances: { stopSeconds: 1 }, limits: { keepReleases: 5 } } },
      engine: { stop: async (id: string) => Promise.resolve(stopped.push(id)) },
      proxyReports: {
        // Refused when it is asked for between the table's change and the stop.
        members: async () =>
          (await isOut()) && refusals++ === 0 ? Promise.reject(new Error("Connection is closed.")) : [],
        loadsOf: async () => Promise.resolve(new Map([["shop/v1", []]])),
      },
    } as unknown as ReconcileNeeds;
    await tools.routes.update("shop", () => ({ ...emptyRouteTable("shop"), releases: [REPLACED] }));
    const reconciler = new Reconciler(tools, { resolvePostponed: () => undefined }).start();
    await eventually("it is retired", async () => (await releases.find("shop", 1))?.phase === "retired");
    await reconciler.stop();
    expect(refusals).to.be.greaterThan(1);
    expect(stopped).to.deep.equal([instance.id]);
    expect((await tools.routes.read("shop")).releases).to.deep.equal([]);
  });
});
