import { expect } from "chai";
import { systemClock } from "../../../../core/clock.js";
import { deferred } from "../../../../core/async/deferred.js";
import { silentLog } from "../../../../core/log.js";
import { CANARY, emptyRouteTable, type RoutedRelease } from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { keys } from "../../../../core/redis/keys.js";
import { RecoveringApps } from "../../../../server/releases/recovering-apps.js";
import { RouteWatch } from "../../../../server/routes/route-watch.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const RELEASE: RoutedRelease = {
  ...{ number: 1, track: CANARY, servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
  ...{ expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0, sessionIdleSeconds: 60 },
};

describe("a watch over the route tables", () => {
  let redis: TestRedis;
  before(async () => (redis = await TestRedis.start()));
  after(async () => redis.dispose());

  it("finds within a minute what changed after Redis had lost its last revisions", async () => {
    const connection = await redis.connect();
    const routes = new RouteTables(connection);
    const change = async (app: string): Promise<unknown> =>
      routes.update(app, () => ({ ...emptyRouteTable(app), releases: [RELEASE] }));
    let laterMs = 0;
    const clock = { ...systemClock, now: () => Date.now() + laterMs };
    const seen = new Set<string>();
    const watch = new RouteWatch({
      tools: { routes, clock, recovering: new RecoveringApps(), log: silentLog },
      name: "a test",
      concerns: () => true,
      attend: async ({ app }) => Promise.resolve(seen.add(app)).then(() => undefined),
    }).start();
    await connection.set(keys.revision, 100);
    await change("before");
    await eventually("what was there is seen", () => seen.has("before"));
    await connection.set(keys.revision, 50);
    await change("after");
    laterMs = 60_000;
    await eventually("what came after is seen", () => seen.has("after"));
    await watch.stop();
    expect([...seen]).to.deep.equal(["before", "after"]);
  });

  it("leaves an app alone until it is recovered", async () => {
    const connection = await redis.connect();
    const routes = new RouteTables(connection);
    const recovering = new RecoveringApps();
    const recovered = deferred<undefined>();
    recovering.add("half-done", recovered.promise);
    const seen: string[] = [];
    const watch = new RouteWatch({
      tools: { routes, clock: systemClock, recovering, log: silentLog },
      name: "a test",
      concerns: () => true,
      attend: async ({ app }) => Promise.resolve(seen.push(app)).then(() => undefined),
    }).start();
    for (const app of ["half-done", "whole"])
      await routes.update(app, () => ({ ...emptyRouteTable(app), releases: [RELEASE] }));
    const looks = (): number => seen.filter((app) => app === "whole").length;
    await eventually("it has looked twice", () => looks() > 1);
    expect(seen).not.to.include("half-done");
    recovered.resolve(undefined);
    await eventually("it has its turn", () => seen.includes("half-done"));
    await watch.stop();
  });
});
