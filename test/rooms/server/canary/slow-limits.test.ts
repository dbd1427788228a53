import { expect } from "chai";
import {
  CANARY,
  emptyRouteTable,
  PRODUCTION,
  type RoutedCanary,
} from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { newCanary, type CanaryRecord } from "../../../../server/canary/canary-record.js";
import { setSlowLimits } from "../../../../server/canary/judging/set-slow-limits.js";
import { slowLimits } from "../../../../server/canary/statistics/slow-limits.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const WARM = 60;
const STEP = { stepSeconds: 300 };
const BUCKET = 40;

describe("the limits of slow answers", () => {
  let redis: TestRedis;
  let routes: RouteTables;
  before(async () => {
    redis = await TestRedis.start();
    const connection = await redis.connect();
    routes = new RouteTables(connection);
  });
  beforeEach(async () => {
    await routes.update("shop", () => ({
      ...emptyRouteTable("shop"),
      tracks: { [PRODUCTION]: 1, [CANARY]: 2 },
      canary: { share: 30, isManual: false },
      releases: [1, 2].map((number) => ({
        ...{ number, track: number === 1 ? PRODUCTION : CANARY, servers: [], sticky: false, asleep: false },
        ...{ sleepSeconds: 0, expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0 },
        sessionIdleSeconds: 60,
      })),
    }));
  });
  after(async () => redis.dispose());

  const record = (answers: number, secondsInStep = WARM): CanaryRecord => {
    const canary = newCanary("shop", 2, 0);
    return {
      ...canary,
      secondsInStep,
      production: { ...canary.production, histogram: answers === 0 ? [] : [[BUCKET, answers]] },
    };
  };
  const limits = async (): Promise<RoutedCanary["slow"]> => (await routes.read("shop")).canary?.slow;
  const set = async (of: CanaryRecord): Promise<CanaryRecord> => setSlowLimits({ routes }, of, STEP);

  it("are production's, told to the proxies once they are known, and the canary's with the tolerance", async () => {
    const seen = await set(record(100));
    expect(seen.slowAnswers).to.equal(100);
    expect(await limits()).to.deep.equal(slowLimits(new Map([[BUCKET, 100]])));
    expect((await limits())?.production).to.deep.equal([BUCKET, BUCKET]);
    expect((await limits())?.canary[0]).to.be.above(BUCKET);
  });

  it("are unknown while production had few answers, or the canary is cold", async () => {
    for (const early of [record(0), record(99), record(1000, WARM - 1)])
      expect(await set(early)).to.equal(early);
    expect(await limits()).to.equal(undefined);
  });

  it("are made again when there are twice as many answers, not each second", async () => {
    const revision = async (): Promise<number> => routes.update("shop", (table) => table);
    const seen = await set(record(100));
    const before = await revision();
    const more: CanaryRecord = { ...seen, production: { ...seen.production, histogram: [[50, 199]] } };
    expect(await set(more)).to.equal(more);
    expect(await revision()).to.equal(before);
    const twice: CanaryRecord = { ...seen, production: { ...seen.production, histogram: [[50, 200]] } };
    expect((await set(twice)).slowAnswers).to.equal(200);
    expect((await limits())?.production).to.deep.equal([50, 50]);
  });

  it("are not set for another canary that came meanwhile", async () => {
    await routes.update("shop", (table) => ({ ...table, tracks: { ...table.tracks, [CANARY]: 3 } }));
    await set(record(100));
    expect(await limits()).to.equal(undefined);
  });
});
