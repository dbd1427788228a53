import { expect } from "chai";
import { systemClock } from "../../../../core/clock.js";
import { deferred } from "../../../../core/async/deferred.js";
import { Home } from "../../../../core/home.js";
import { silentLog } from "../../../../core/log.js";
import type { ReleaseRecord } from "../../../../core/records/releases/release-record.js";
import {
  emptyRouteTable,
  type RoutedRelease,
  type RouteTable,
} from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { Reconciler } from "../../../../server/reconcile/reconciler.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { RecoveringApps } from "../../../../server/releases/recovering-apps.js";
import { ReleaseTurns } from "../../../../server/releases/release-turns.js";
import type { ReconcileNeeds } from "../../../../server/reconcile/needs.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const ROUTED: RoutedRelease = {
  ...{ number: 1, track: "production", servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
  ...{ expireSeconds: 0, since: 0, drainSeconds: 1, standbySeconds: 0, sessionIdleSeconds: 60 },
};
/** Its stop takes its time, and everything else that was decided with it waits. */
const SLOW = { ...ROUTED, replacedAt: 1 };

describe("what was decided about releases a while ago", function () {
  this.timeout(20_000);
  let redis: TestRedis;
  let tools: ReconcileNeeds;
  let stopping = deferred<undefined>();
  let stopped = deferred<undefined>();
  before(async () => (redis = await TestRedis.start()));
  after(async () => redis.dispose());
  beforeEach(async () => {
    stopping = deferred();
    stopped = deferred();
    const connection = await redis.connect();
    await connection.flushall();
    const releases = new ReleaseStore(connection);
    const draft = await releases.draft({
      ...{ app: "shop", commit: "c", branch: "main", track: "production", source: "push", by: "me" },
      ...{ steps: "deploy", processes: [{ name: "web", command: "x", quantity: 1 }] },
    });
    const slow: ReleaseRecord = { ...draft, phase: "settled" };
    await releases.save(slow);
    // What only asks Redis and the engine is enough for this.
    tools = {
      ...{
        routes: new RouteTables(connection),
        releases,
        turns: new ReleaseTurns(),
        recovering: new RecoveringApps(),
        clock: systemClock,
      },
      ...{ log: silentLog, home: new Home("/there/is/no/such/home") },
      ...{ settings: { instances: { stopSeconds: 1 }, limits: { keepReleases: 5 } } },
      engine: {
        stop: async () => {
          stopping.resolve(undefined);
          await stopped.promise;
        },
      },
      proxyReports: {
        members: async () => Promise.resolve([]),
        loadsOf: async () => Promise.resolve(new Map()),
      },
    } as unknown as ReconcileNeeds;
  });

  it("does not remove a preview that was pushed meanwhile", async () => {
    const expired = { ...ROUTED, number: 2, track: "feature", asleep: true, expireSeconds: 1, since: 1 };
    const pushed = { ...ROUTED, number: 3, track: "feature", since: Date.now() };
    const table = await afterwards(
      { releases: [SLOW, expired], tracks: { feature: 2 } },
      { releases: [SLOW, { ...expired, replacedAt: 1 }, pushed], tracks: { feature: 3 } },
    );
    expect(table.tracks).to.deep.equal({ feature: 3 });
    expect(table.releases.find(({ number }) => number === 3)).to.deep.equal(pushed);
  });

  it("removes it where nobody pushed", async () => {
    const expired = { ...ROUTED, number: 2, track: "feature", asleep: true, expireSeconds: 1, since: 1 };
    const table = await afterwards({ releases: [SLOW, expired], tracks: { feature: 2 } });
    expect(table.tracks).to.deep.equal({});
  });

  it("does not end the sessions of a release that was rolled back to meanwhile", async () => {
    const standby = {
      ...ROUTED,
      number: 2,
      sticky: true,
      standbySeconds: 1000,
      replacedAt: Date.now() - 5000,
    };
    const serving = { ...ROUTED, number: 3, sticky: true };
    const { replacedAt, ...back } = standby;
    const table = await afterwards(
      { releases: [SLOW, standby, serving], tracks: { production: 3 } },
      { releases: [SLOW, back, { ...serving, replacedAt }], tracks: { production: 2 } },
    );
    expect(table.releases.find(({ number }) => number === 2)?.sticky).to.equal(true);
  });

  it("ends them where it was not", async () => {
    const standby = {
      ...ROUTED,
      number: 2,
      sticky: true,
      standbySeconds: 1000,
      replacedAt: Date.now() - 5000,
    };
    const serving = { ...ROUTED, number: 3, sticky: true };
    const table = await afterwards({ releases: [SLOW, standby, serving], tracks: { production: 3 } });
    expect(table.releases.find(({ number }) => number === 2)?.sticky).to.equal(false);
  });

  /** The table when everything that was decided by the first one is through; it changes `meanwhile`. */
  async function afterwards(
    first: Pick<RouteTable, "releases" | "tracks">,
    meanwhile?: Pick<RouteTable, "releases" | "tracks">,
  ): Promise<RouteTable> {
    await tools.routes.update("shop", () => ({ ...emptyRouteTable("shop"), ...first }));
    const reconciler = new Reconciler(tools, { resolvePostponed: () => undefined }).start();
    await stopping.promise;
    const ended = reconciler.stop();
    if (meanwhile !== undefined)
      await tools.routes.update("shop", (table) => ({
        ...table,
        ...meanwhile,
        releases: meanwhile.releases.filter(({ number }) => number !== SLOW.number),
      }));
    stopped.resolve(undefined);
    await ended;
    await eventually(
      "it has retired",
      async () => (await tools.releases.find("shop", 1))?.phase === "retired",
    );
    return tools.routes.read("shop");
  }
});
