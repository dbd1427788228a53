import { expect } from "chai";
import { systemClock } from "../../../../core/clock.js";
import { emptyRouteTable } from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { TrafficSeries } from "../../../../core/records/traffic/traffic-series.js";
import { keys } from "../../../../core/redis/keys.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { appSummaries } from "../../../../server/api/summaries/app-summaries.js";
import type { ApiNeeds } from "../../../../server/api/needs.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

describe("what is told of all apps at once", function () {
  this.timeout(20_000);
  let own: OwnRedis;
  before(async () => (own = await OwnRedis.start()));
  after(async () => own.stop());

  it("is read of the releases that the route tables name, and of no other", async () => {
    const { redis } = own;
    const [routes, releases] = [new RouteTables(redis), new ReleaseStore(redis)];
    for (const app of ["shop", "blog"]) {
      for (const commit of ["first", "second"])
        await releases.save({
          ...(await releases.draft({
            ...{ app, commit: `${commit} of ${app}`, branch: "main", track: "production", source: "push" },
            ...{ by: "me", steps: "deploy", processes: [] },
          })),
          phase: "settled",
        });
      // Whoever reads these fails.
      for (let number = 3; number <= 100; number++)
        await redis.hset(keys.releases(app), String(number), "not to be read");
      await routes.update(app, () => ({
        ...emptyRouteTable(app),
        tracks: { production: 2, feature: 1 },
        releases: [
          {
            ...{ number: 2, track: "production", servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
            ...{ expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0, sessionIdleSeconds: 60 },
          },
        ],
      }));
    }
    const state = { address: undefined, running: true, pid: 1, ends: 3, lastEnd: "status 1" };
    // What only asks Redis and the engine is enough for this.
    const tools = {
      ...{ routes, releases, traffic: new TrafficSeries(redis), clock: systemClock },
      settings: { domain: "localhost", httpPort: 8080 },
      apps: { list: async () => Promise.resolve([{ name: "blog" }, { name: "none" }, { name: "shop" }]) },
      engine: {
        list: async () =>
          Promise.resolve(["shop.v2.web.1", "shopping.v1.web.1"].map((id) => ({ id, ...state }))),
      },
    } as unknown as ApiNeeds;
    const summaries = await appSummaries(tools, { apps: "all" });
    expect(
      summaries.map(({ app, tracks, instances }) => ({
        app,
        tracks: tracks.map(({ track, release, commit }) => [track, release, commit]),
        instances: instances.map(({ id, restarts, lastEnd }) => [id, restarts, lastEnd]),
      })),
    ).to.deep.equal([
      { app: "blog", tracks: tracksOf("blog"), instances: [] },
      { app: "none", tracks: [], instances: [] },
      { app: "shop", tracks: tracksOf("shop"), instances: [["shop.v2.web.1", 3, "status 1"]] },
    ]);
  });
});

function tracksOf(app: string): string[][] {
  return [
    ["production", "v2", `second of ${app}`],
    ["feature", "v1", `first of ${app}`],
  ];
}
