import { expect } from "chai";
import { systemClock } from "../../../../core/clock.js";
import { silentLog } from "../../../../core/log.js";
import { ProxyReports } from "../../../../core/records/routes/proxy-reports.js";
import {
  CANARY,
  emptyRouteTable,
  PRODUCTION,
  type RoutedCanary,
  type RoutedRelease,
} from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { abort, raise, setShare } from "../../../../server/canary/judging/share.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const CAUSE = { by: "me", reason: "It was bad." };
const RELEASE: RoutedRelease = {
  ...{ number: 2, track: CANARY, servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
  ...{ expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0, sessionIdleSeconds: 60 },
};

describe("the canary's share", () => {
  let redis: TestRedis;
  before(async () => (redis = await TestRedis.start()));
  after(async () => redis.dispose());

  const tools = async () => {
    const connection = await redis.connect();
    await connection.flushall();
    const routes = new RouteTables(connection);
    const canary = { share: 5, isManual: false };
    await routes.update("shop", () => ({
      ...emptyRouteTable("shop"),
      tracks: { [PRODUCTION]: 1, [CANARY]: 2 },
      canary,
      releases: [RELEASE],
    }));
    return {
      ...{ routes, releases: new ReleaseStore(connection), proxyReports: new ProxyReports(connection) },
      ...{ clock: systemClock, log: silentLog },
    };
  };
  const after5 = async (
    change: (using: Awaited<ReturnType<typeof tools>>) => Promise<unknown>,
  ): Promise<RoutedCanary | undefined> => {
    const using = await tools();
    await change(using);
    return (await using.routes.read("shop")).canary;
  };

  it("is raised for the next step", async () => {
    expect(
      await after5(async (using) => expect(await raise(using, "shop", 2, 50)).to.equal(true)),
    ).to.deep.equal({
      ...{ share: 50, isManual: false },
    });
  });

  it("is not raised over one that a person has set, nor for another canary", async () => {
    const left = await after5(async (using) => {
      expect(await raise(using, "shop", 9, 50)).to.equal(false);
      await setShare(using, "shop", 1, { by: "me" });
      expect(await raise(using, "shop", 2, 50)).to.equal(false);
    });
    expect(left).to.deep.equal({ share: 1, isManual: true });
  });

  it("ends with its canary, and not with one that came while the other was being aborted", async () => {
    const using = await tools();
    const newer = { ...RELEASE, number: 3 };
    const read = async (app: string): ReturnType<RouteTables["read"]> => {
      const table = await using.routes.read(app);
      await using.routes.update(app, (now) => ({
        ...now,
        tracks: { ...now.tracks, [CANARY]: 3 },
        releases: [{ ...RELEASE, replacedAt: 1 }, newer],
      }));
      return table;
    };
    const routes = Object.assign(Object.create(using.routes) as RouteTables, { read });
    expect(await abort({ ...using, routes }, "shop", CAUSE)).to.equal(2);
    const table = await using.routes.read("shop");
    expect(table.tracks).to.deep.equal({ [PRODUCTION]: 1, [CANARY]: 3 });
    expect(table.canary).to.deep.equal({ share: 5, isManual: false });
    expect(table.releases).to.deep.include(newer);
    expect(await abort(using, "shop", CAUSE)).to.equal(3);
    expect((await using.routes.read("shop")).tracks).to.deep.equal({ [PRODUCTION]: 1 });
  });
});
