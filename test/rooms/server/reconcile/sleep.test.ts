import { expect } from "chai";
import type { Database } from "../../../../core/redis/database.js";
import { systemClock } from "../../../../core/clock.js";
import { silentLog } from "../../../../core/log.js";
import { hasApplied, ProxyReports } from "../../../../core/records/routes/proxy-reports.js";
import { emptyRouteTable, type RoutedRelease } from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { Reconciler } from "../../../../server/reconcile/reconciler.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { RecoveringApps } from "../../../../server/releases/recovering-apps.js";
import { ReleaseTurns } from "../../../../server/releases/release-turns.js";
import type { ReconcileNeeds } from "../../../../server/reconcile/needs.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const PREVIEW: RoutedRelease = {
  ...{ number: 1, track: "feature", servers: [], sticky: false, asleep: false, sleepSeconds: 1 },
  ...{ expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0, sessionIdleSeconds: 60 },
};
const ID = "shop.v1.web.1";

describe("a preview that goes to sleep", function () {
  this.timeout(20_000);
  let server: TestRedis;
  let redis: Database;
  let reports: ProxyReports;
  let routes: RouteTables;
  before(async () => (server = await TestRedis.start()));
  after(async () => server.dispose());
  beforeEach(async () => {
    redis = await server.connect();
    await redis.flushall();
    reports = new ProxyReports(redis);
    routes = new RouteTables(redis);
  });

  /** A reconciler with all that it needs for this, and what it has stopped. `members`: who reports, in place of Redis. */
  const reconcile = async (members = async () => reports.members()) => {
    const releases = new ReleaseStore(redis);
    const draft = await releases.draft({
      ...{ app: "shop", commit: "c", branch: "feature", track: "feature", source: "push", by: "me" },
      ...{ steps: "deploy", processes: [{ name: "web", command: "x", quantity: 1 }] },
    });
    const instances = [{ id: ID, process: "web", index: 1, address: "127.0.0.1:1" }];
    await releases.save({ ...draft, phase: "settled", instances });
    const stopped: { id: string; isOut: boolean }[] = [];
    const looks = { count: 0 };
    const tools = {
      ...{
        routes,
        releases,
        turns: new ReleaseTurns(),
        recovering: new RecoveringApps(),
        clock: systemClock,
        log: silentLog,
      },
      settings: { instances: { stopSeconds: 1 }, limits: { keepReleases: 5 } },
      engine: {
        stop: async (id: string) => {
          const revision = await routes.revisionOf("shop");
          const isOut = (await reports.members()).every((member) => hasApplied(member, revision, "shop"));
          stopped.push({ id, isOut });
        },
      },
      proxyReports: {
        members,
        loadsOf: async (names: string[], revision: number) => reports.loadsOf(names, revision),
      },
    } as unknown as ReconcileNeeds; // What only asks Redis and the engine is enough for this.
    await routes.update("shop", () => ({
      ...emptyRouteTable("shop"),
      tracks: { feature: 1 },
      releases: [PREVIEW],
    }));
    const resolvePostponed = (): void => {
      looks.count++;
    };
    return { stopped, looks, reconciler: new Reconciler(tools, { resolvePostponed }).start() };
  };
  const isIdleAt = async (revision: number): Promise<void> => {
    await reports.report("p1", { revision, failing: [], leaving: [] });
    await reports.reportLoads("p1", new Map([["shop/v1", { connections: 0, idleSeconds: 99, revision }]]));
  };
  const asleep = async (): Promise<boolean> =>
    (await routes.read("shop")).releases.some((release) => release.asleep);

  it("is not stopped before a slow proxy knows that it sleeps", async () => {
    const { stopped, looks, reconciler } = await reconcile();
    await isIdleAt(await routes.revisionOf("shop"));
    await eventually("the table says that it sleeps", asleep);
    const before = looks.count;
    await eventually("it was looked at again", () => looks.count > before + 1);
    expect(stopped).to.deep.equal([]);
    await isIdleAt(await routes.revisionOf("shop"));
    await eventually("it is stopped", () => stopped.length > 0);
    await reconciler.stop();
    expect(stopped).to.deep.equal([{ id: ID, isOut: true }]);
  });

  it("is stopped later when it could not be found out whether the proxies know", async () => {
    let refusals = 0;
    const { stopped, reconciler } = await reconcile(async () => {
      if ((await asleep()) && refusals++ < 2) throw new Error("Connection is closed.");
      return reports.members();
    });
    await eventually("it is stopped", () => stopped.length > 0);
    await reconciler.stop();
    expect(refusals).to.be.greaterThan(2);
    expect(stopped.map(({ id }) => id)).to.deep.equal([ID]);
  });
});
