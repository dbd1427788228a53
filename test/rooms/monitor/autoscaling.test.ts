import { expect } from "chai";
import type { AlertRecord } from "../../../core/records/alerts/alert-record.js";
import { InstanceLoads } from "../../../core/records/scaling/instance-loads.js";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { emptyRouteTable, type RoutedRelease } from "../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../core/records/routes/route-tables.js";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import { ScaleDecisions } from "../../../core/records/scaling/scale-decisions.js";
import { ScaleRequests, type ScaleRequest } from "../../../core/records/scaling/scale-requests.js";
import { noTraffic } from "../../../core/records/traffic/traffic.js";
import { TrafficSeries } from "../../../core/records/traffic/traffic-series.js";
import { keys } from "../../../core/redis/keys.js";
import { Autoscaling } from "../../../monitor/autoscaling/autoscaling.js";
import type { Fleet } from "../../../monitor/autoscaling/fleet.js";
import type { Sample } from "../../../core/records/hosts/sample.js";
import type { Reading } from "../../../monitor/sampling/reading.js";
import { MOST_INSTANCES } from "../../../monitor/sampling/sample-between.js";
import { Sampler } from "../../../monitor/sampling/sampler.js";
import { ScaledApps } from "../../../monitor/autoscaling/scaled-apps.js";
import { aSample } from "../../support/fakes/a-sample.js";
import { OwnRedis } from "../../support/redis/own-redis.js";

const BEGAN = 1_000_000_000;
const SCALE = { min: 1, max: 4, cpuTarget: 50, cooldownSeconds: 10 };

describe("autoscaling, over Redis", function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let now = BEGAN;
  before(async () => (own = await OwnRedis.start()));
  beforeEach(async () => {
    await own.redis.flushall();
    now = BEGAN;
    const inventory = { system: "", kernel: "", processor: "", cpus: 4, memoryMegabytes: 1, virtual: "" };
    await new HostRecords(own.redis).update("h", () => ({
      ...{ v: 1, id: "h", roles: ["production"], startedAt: "", inventory },
    }));
  });
  after(async () => own.stop());

  const autoscaling = (fleet?: Fleet): Autoscaling =>
    new Autoscaling({
      redis: own.redis,
      apps: new ScaledApps(new RouteTables(own.redis)),
      hosts: new HostRecords(own.redis),
      series: new SampleSeries(own.redis),
      loads: new InstanceLoads(own.redis),
      traffic: new TrafficSeries(own.redis),
      requests: new ScaleRequests(own.redis),
      decisions: new ScaleDecisions(own.redis),
      fleet,
      now: async () => Promise.resolve(now),
    });
  const serve = async (instances: number, number = 1, more: Partial<RoutedRelease> = {}): Promise<void> => {
    const servers = Array.from({ length: instances }, (_, index) => ({
      id: `shop.v${number}.web.${index + 1}`,
      address: `127.0.0.1:${20_001 + index}`,
    }));
    const times = {
      drainSeconds: 1,
      standbySeconds: 1,
      sessionIdleSeconds: 1,
      sleepSeconds: 0,
      expireSeconds: 0,
    };
    const fixed = { track: "production", sticky: false, asleep: false, since: 0, scale: SCALE, ...times };
    await new RouteTables(own.redis).update("shop", () => ({
      ...emptyRouteTable("shop"),
      tracks: { production: number },
      releases: [{ number, servers, ...fixed, ...more }],
    }));
  };
  const tell = async (loads: Record<string, number>, cpu?: Sample["cpu"]): Promise<void> => {
    const entry = JSON.stringify({ v: 1, sample: { ...aSample({ cpus: 4 }), ...(cpu && { cpu }) } });
    await own.redis.xadd(keys.sampleSeconds("h"), `${now}-0`, "entry", entry);
    await own.redis.set(keys.instanceLoads("h"), `${now} ${JSON.stringify(loads)}`);
  };
  /** A sample and a look a second; each instance takes `cpu` percent of one processor. */
  const seconds = async (
    looker: Autoscaling,
    count: number,
    cpu: readonly number[],
    alerts: AlertRecord[] = [],
  ): Promise<void> => {
    for (let second = 0; second < count; second++) {
      now += 1000;
      const loads = Object.fromEntries(cpu.map((each, index) => [`shop.v1.web.${index + 1}`, each]));
      await tell(loads);
      await looker.keep(alerts);
    }
  };
  /** Likewise, with `answers` a second to visitors, while a share of what the instances want is stolen. */
  const answering = async (
    looker: Autoscaling,
    count: number,
    cpu: readonly number[],
    { answers = 100, steal = 0 }: { answers?: number; steal?: number } = {},
  ): Promise<void> => {
    const loads = Object.fromEntries(cpu.map((each, index) => [`shop.v1.web.${index + 1}`, each]));
    const stolen = { user: 100 * (1 - steal), system: 0, iowait: 0, steal: 100 * steal, busy: 100 };
    for (let second = 0; second < count; second++) {
      const releases = [{ release: "v1", track: "production", ...noTraffic(), answersOk: answers }];
      const entry = JSON.stringify({ v: 1, proxy: "p", releases });
      await own.redis.xadd(keys.trafficSeconds("shop"), `${now}-0`, "entry", entry);
      now += 1000;
      await tell(loads, stolen);
      await looker.keep([]);
    }
  };
  /** Does what was asked for. */
  const follow = async (): Promise<string> => {
    const [request] = await requested();
    if (request === undefined) return "nothing";
    await new ScaleRequests(own.redis).done("shop");
    await serve(request.to);
    return `${request.from} → ${request.to}`;
  };
  const requested = async (): Promise<ScaleRequest[]> => new ScaleRequests(own.redis).waiting();
  const decided = async (): Promise<string[]> =>
    (await new ScaleDecisions(own.redis).list("shop")).map(
      ({ from, to, outcome }) => `${from} → ${to}: ${outcome}`,
    );

  it("asks for what the load wants, of the release that serves, once", async () => {
    const looker = autoscaling();
    await serve(2);
    await seconds(looker, 9, [70, 80]);
    expect(await requested()).to.deep.equal([]);
    await seconds(looker, 5, [70, 80]);
    const [request, ...others] = await requested();
    expect(others).to.deep.equal([]);
    expect(request).to.deep.include({ app: "shop", release: 1, from: 2, to: 3 });
    expect(request?.reason).to.equal("each of 2 uses 75 % CPU, target 50 %");
  });

  it("says since when production had its size, and begins again when a person decides, whatever it is then", async () => {
    const looker = autoscaling();
    await serve(2, 1, { sizedAt: 5 });
    await seconds(looker, 17, [70, 80]);
    expect((await requested()).map(({ sizedAt }) => sizedAt)).to.deep.equal([5]);
    await new ScaleRequests(own.redis).done("shop");
    await serve(2, 1, { sizedAt: 6 });
    await seconds(looker, 9, [70, 80]);
    expect(await requested()).to.deep.equal([]);
    await seconds(looker, 5, [70, 80]);
    expect((await requested()).map(({ sizedAt }) => sizedAt)).to.deep.equal([6]);
  });

  it("sees every instance of an app, however many larger ones its machine runs", async () => {
    const looker = autoscaling();
    await serve(2);
    const readings = Array.from({ length: 12 }, (_, second) => crowd(second));
    const sampler = new Sampler({ read: async () => readings.shift(), close: () => undefined });
    for (let taken = await sampler.sample(); taken !== undefined; taken = await sampler.sample()) {
      now += 1000;
      expect(Object.keys(taken.sample.instances), "kept for an hour").to.have.length(MOST_INSTANCES);
      await tell({ ...taken.loadsOf(new Set(["shop"])) });
      await looker.keep([]);
    }
    expect((await requested()).map(({ from, to, reason }) => [from, to, reason])).to.deep.equal([
      [2, 4, "each of 2 uses 90 % CPU, target 50 %"],
    ]);
  });

  it("takes instances of which no host tells to be as busy as the others", async () => {
    const looker = autoscaling();
    await serve(4);
    await seconds(looker, 25, [45, 45]);
    expect(await requested()).to.deep.equal([]);
  });

  it("is told when: by the clock of Redis, and only by hosts that have something to tell", async () => {
    const loads = new InstanceLoads(own.redis);
    const before = Date.now();
    await loads.write("h", { "shop.v1.web.1": 12.5 });
    const [told, ...others] = await loads.read(["none", "h"]);
    expect(others).to.deep.equal([]);
    expect(told?.loads).to.deep.equal({ "shop.v1.web.1": 12.5 });
    expect(told?.at).to.be.within(before - 1, Date.now() + 1);
  });

  it("asks again after a while when what it asked for was not done", async () => {
    const looker = autoscaling();
    await serve(1);
    await seconds(looker, 12, [90]);
    expect((await requested()).length).to.equal(1);
    await new ScaleRequests(own.redis).done("shop");
    await seconds(looker, 5, [90]);
    expect(await requested()).to.deep.equal([]);
    await seconds(looker, 8, [90]);
    expect((await requested()).length).to.equal(1);
  });

  it("removes instances that were not needed for three cooldowns", async () => {
    const looker = autoscaling();
    await serve(4);
    await seconds(looker, 29, [10, 10, 10, 10]);
    expect(await requested()).to.deep.equal([]);
    await seconds(looker, 3, [10, 10, 10, 10]);
    expect((await requested()).map(({ from, to }) => [from, to])).to.deep.equal([[4, 2]]);
  });

  it("does nothing while the app is being released, for one without `scale`, or without samples", async () => {
    const looker = autoscaling();
    await serve(1);
    await own.redis.set(keys.lock("shop"), "{}");
    await seconds(looker, 25, [95]);
    expect(await requested()).to.deep.equal([]);
    await own.redis.del(keys.lock("shop"));
    now += 60_000;
    await looker.keep([]);
    expect(await requested()).to.deep.equal([]);
    await serve(1, 1, { scale: undefined });
    await seconds(looker, 25, [95]);
    expect(await requested()).to.deep.equal([]);
  });

  it("asks for a machine when every processor has its instance, once in each cooldown", async () => {
    const asked: string[] = [];
    const looker = autoscaling({
      grow: async (role, reason) => {
        asked.push(`${role}: ${reason}`);
        return Promise.resolve();
      },
    });
    await serve(4, 1, { scale: { ...SCALE, max: 8 } });
    await seconds(looker, 15, [90, 90, 90, 90]);
    expect(asked).to.deep.equal([
      "production: shop: each of 4 uses 90 % CPU, target 50 %; 4 instances already use all 4 processors",
    ]);
    expect(await decided()).to.deep.equal(["4 → 8: a host was requested"]);
    await seconds(looker, 10, [90, 90, 90, 90]);
    expect(asked.length).to.equal(2);
    expect(await requested()).to.deep.equal([]);
  });

  it("records that machines are needed where none can be had", async () => {
    await serve(4, 1, { scale: { ...SCALE, max: 8 } });
    await seconds(autoscaling(), 15, [90, 90, 90, 90]);
    expect(await decided()).to.deep.equal(["4 → 8: more hosts are needed, but none can be added"]);
  });

  it("counts what the hypervisor took from the instances as wanted", async () => {
    const looker = autoscaling();
    await serve(1);
    const cpu = { user: 10, system: 0, iowait: 0, steal: 10, busy: 20 };
    for (let second = 0; second < 15; second++) {
      now += 1000;
      await tell({ "shop.v1.web.1": 45 }, cpu);
      await looker.keep([]);
    }
    expect((await requested()).map(({ to, reason }) => [to, reason])).to.deep.equal([
      [2, "each of 1 uses 90 % CPU, target 50 %"],
    ]);
  });

  it("says once that more instances do not help, tries again after a while, and takes back what did not help", async () => {
    const looker = autoscaling();
    const step = async (count: number, each: number, instances: number): Promise<string> => {
      await answering(
        looker,
        count,
        Array.from({ length: instances }, () => each),
      );
      return follow();
    };
    await serve(1);
    expect(await step(15, 80, 1)).to.equal("1 → 2");
    // Judged at the end of the first window, of 10 s: then there are two cooldowns left.
    expect(await step(29, 80, 2)).to.equal("nothing");
    const [decision] = await new ScaleDecisions(own.redis).list("shop");
    expect(decision?.reason).to.match(/an answer took less CPU; tried again in 20 s$/);
    expect(await decided()).to.deep.equal(["2 → 4: not requested: more instances did not help"]);
    expect(await step(2, 80, 2)).to.equal("2 → 4");
    expect(await step(12, 80, 4)).to.equal("4 → 1");
    // Two such in a row: four cooldowns from the judgement on.
    expect(await step(35, 80, 1)).to.equal("nothing");
    expect(await step(6, 80, 1)).to.equal("1 → 2");
  });

  it("does not blame new instances for what is stolen since they came", async () => {
    const looker = autoscaling();
    await serve(1);
    await answering(looker, 15, [80]);
    expect(await follow()).to.equal("1 → 2");
    await answering(looker, 15, [40, 40], { steal: 0.6 });
    expect(await follow()).to.equal("2 → 4");
    expect(await decided()).to.deep.equal([]);
  });

  it("waits twice as long before one goes, after one that was missed within two cooldowns", async () => {
    const looker = autoscaling();
    await serve(2);
    await seconds(looker, 35, [10, 10]);
    expect(await follow()).to.equal("2 → 1");
    await seconds(looker, 12, [90]);
    expect(await follow()).to.equal("1 → 2");
    await seconds(looker, 55, [10, 10]);
    expect(await follow()).to.equal("nothing");
    await seconds(looker, 20, [10, 10]);
    expect(await follow()).to.equal("2 → 1");
  });

  it("adds one for an alert below the target", async () => {
    const alert: AlertRecord = {
      v: 1,
      id: "a1",
      rule: "proxy-cpu",
      host: "h",
      text: "cpu of h is 70, above 50",
      actions: ["scale-out"],
      phase: "raised",
      raisedAt: BEGAN,
      reminders: 0,
      value: 70,
      worst: 70,
      announced: true,
      pending: [],
    };
    const looker = autoscaling();
    await serve(2);
    await seconds(looker, 12, [40, 40], [alert]);
    expect((await requested()).map(({ to, reason }) => `${to}: ${reason}`)).to.deep.equal([
      "3: alert: cpu of h is 70, above 50",
    ]);
  });
});

/** A machine on which many instances have more memory than the two of the shop, which take 90 % of a processor each. */
function crowd(second: number): Reading {
  const instance = (cpuSeconds: number, memoryBytes: number) => ({ cpuSeconds, memoryBytes, restarts: 0 });
  const large = Array.from(
    { length: 2 * MOST_INSTANCES },
    (_, index) => [`other-${index}.v1.web.1`, instance(0, 5e8)] as const,
  );
  const small = [1, 2].map((index) => [`shop.v1.web.${index}`, instance(second * 0.9, 1e6)] as const);
  return {
    monotonicMs: second * 1000,
    cpu: { user: 0, system: 0, iowait: 0, steal: 0, idle: second * 100, cpus: 4 },
    cpuLimit: undefined,
    memory: { usedBytes: 0, totalBytes: 1 },
    load1: undefined,
    waitedMicroseconds: undefined,
    disk: undefined,
    network: undefined,
    instances: new Map([...large, ...small]),
  };
}
