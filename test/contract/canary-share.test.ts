import { expect } from "chai";
import { systemClock } from "../../core/clock.js";
import { silentLog } from "../../core/log.js";
import { ProxyReports } from "../../core/records/proxy-reports.js";
import {
  CANARY,
  emptyRouteTable,
  PRODUCTION,
  type RoutedCanary,
  type RoutedRelease,
} from "../../core/records/route-table.js";
import { RouteTables } from "../../core/records/route-tables.js";
import { raise, setShare } from "../../server/canary/share.js";
import { TestRedis } from "../support/test-redis.js";

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
    const canary = { share: 5, isByHand: false };
    await routes.update("shop", () => ({
      ...emptyRouteTable("shop"),
      tracks: { [PRODUCTION]: 1, [CANARY]: 2 },
      canary,
      releases: [RELEASE],
    }));
    return { routes, proxyReports: new ProxyReports(connection), clock: systemClock, log: silentLog };
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
      ...{ share: 50, isByHand: false },
    });
  });

  it("is not raised over one that a person has set, nor for another canary", async () => {
    const left = await after5(async (using) => {
      expect(await raise(using, "shop", 9, 50)).to.equal(false);
      await setShare(using, "shop", 1);
      expect(await raise(using, "shop", 2, 50)).to.equal(false);
    });
    expect(left).to.deep.equal({ share: 1, isByHand: true });
  });
});
