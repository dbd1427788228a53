import { expect } from "chai";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "../../../../core/redis/database.js";
import { silentLog } from "../../../../core/log.js";
import { noTraffic } from "../../../../core/records/traffic/traffic.js";
import { TrafficSeries, type AppTraffic } from "../../../../core/records/traffic/traffic-series.js";
import { keys } from "../../../../core/redis/keys.js";
import type { Count } from "../../../../proxy/proxy.js";
import { TrafficRecorder } from "../../../../proxy/traffic.js";
import { FakeProxy } from "../../../support/fakes/fake-proxy.js";
import { eventually } from "../../../support/eventually.js";
import { ask } from "../../../support/network/ask.js";
import { AnsweringServer, routesTo } from "../../../contract/proxy/counting.js";

const NO_CHANGE = { set: new Map<string, string>(), forget: [] };
const MINUTE_MS = 60_000;

describe("the series of traffic in Redis", function () {
  this.timeout(30_000);
  let folder: string;
  let server: ChildProcess;
  let redis: Database;
  let series: TrafficSeries;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "series-"));
    const path = join(folder, "redis.sock");
    server = spawn("redis-server", ["--port", "0", "--unixsocket", path, "--save", ""], {
      cwd: folder,
      stdio: "ignore",
    });
    redis = new Database({ path, maxRetriesPerRequest: null });
    redis.on("error", () => undefined);
    await eventually("Redis answers", async () => redis.ping());
    series = new TrafficSeries(redis);
  });
  beforeEach(async () => redis.flushall());
  after(async () => {
    redis.disconnect();
    server.kill("SIGKILL");
    await once(server, "exit");
    await rm(folder, { recursive: true });
  });

  it("tells what proxies wrote, by the second, by the minute while it lasts, and in all", async () => {
    await series.append("p1", [traffic("a", "v1", 3), traffic("b", "v1", 1)], NO_CHANGE);
    await series.append("p2", [traffic("a", "v1", 4), traffic("a", "v2", 5, "canary")], NO_CHANGE);
    const range = { from: Date.now() - MINUTE_MS, to: Date.now() + MINUTE_MS };
    for (const stepSeconds of [1, 60] as const) {
      const entries = await series.read("a", { ...range, stepSeconds });
      expect(entries.map(({ proxy }) => proxy)).to.have.members(["p1", "p2"]);
      expect(requestsOf(entries, "v1")).to.equal(7);
      expect(requestsOf(entries, "v2")).to.equal(5);
      if (stepSeconds === 60) expect(entries.every(({ at }) => at % MINUTE_MS === 0)).to.equal(true);
    }
    const totals = await series.totals("a");
    expect(totals.map(({ release, track, requests }) => [release, track, requests])).to.have.deep.members([
      ["v1", "production", 7],
      ["v2", "canary", 5],
    ]);
    expect(totals.find(({ release }) => release === "v1")?.latencies).to.deep.equal({ 20: 7 });
    expect(await series.read("a", { from: 0, to: range.from, stepSeconds: 1 })).to.deep.equal([]);
  });

  it("tells who asked apart by the second, and with all others by the minute and in all", async () => {
    const { cursor } = await series.since("a", undefined);
    await series.append("p1", [traffic("a", "v1", 3), { ...traffic("a", "v1", 4), asked: true }], NO_CHANGE);
    const { entries } = await series.since("a", cursor);
    expect(entries[0]?.releases.map(({ asked, requests }) => [asked, requests])).to.deep.equal([
      [undefined, 3],
      [true, 4],
    ]);
    const range = { from: Date.now() - MINUTE_MS, to: Date.now() + MINUTE_MS };
    const [minute] = await series.read("a", { ...range, stepSeconds: 60 });
    const once = { ...traffic("a", "v1", 7), app: undefined };
    expect(minute?.releases.map((sum) => ({ ...sum, app: undefined }))).to.deep.equal([once]);
    expect((await series.totals("a")).map((sum) => ({ ...sum, app: undefined }))).to.deep.equal([once]);
  });

  it("tells what came after a cursor, once", async () => {
    const before = await series.since("a", undefined);
    expect(before.entries).to.deep.equal([]);
    await series.append("p1", [traffic("a", "v1", 3)], NO_CHANGE);
    const first = await series.since("a", before.cursor);
    expect(requestsOf(first.entries, "v1")).to.equal(3);
    expect((await series.since("a", first.cursor)).entries).to.deep.equal([]);
    await series.append("p1", [traffic("a", "v1", 2)], NO_CHANGE);
    expect(requestsOf((await series.since("a", first.cursor)).entries, "v1")).to.equal(2);
    expect((await series.since("a", undefined)).entries).to.deep.equal([]);
  });

  it("adds minutes up once, each proxy its own, also late and after a crash in between", async () => {
    await eventually("this minute lasts for a while", () => Date.now() % MINUTE_MS < MINUTE_MS - 10_000);
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 5 * MINUTE_MS;
    for (const [seconds, proxy, requests] of [
      [1, "p1", 1],
      [2, "p2", 10],
      [59, "p1", 100],
      [60, "p1", 1000],
    ] as const)
      await wroteAt(minute + seconds * 1000, proxy, traffic("a", "v1", requests));
    await series.append("p1", [traffic("a", "v1", 10_000)], NO_CHANGE);
    const range = { from: minute, to: Date.now() + MINUTE_MS, stepSeconds: 60 } as const;
    const read = async (): Promise<[number, string, number][]> =>
      (await series.read("a", range))
        .map(({ at, proxy, releases }): [number, string, number] => [
          Math.min(5, (at - minute) / MINUTE_MS),
          proxy,
          releases[0]?.requests ?? 0,
        ])
        .sort();
    const wanted = [
      [0, "p1", 101],
      [0, "p2", 10],
      [1, "p1", 1000],
      [5, "p1", 10_000],
    ];
    expect(await read(), "nothing added up").to.deep.equal(wanted);
    await series.sumMinutes("p1");
    expect(await read(), "one proxy's").to.deep.equal(wanted);
    await series.sumMinutes("p1");
    await series.sumMinutes("p2");
    await series.sumMinutes("p2");
    expect(await read(), "both").to.deep.equal(wanted);
    expect(await redis.xlen(keys.trafficMinutes("a"))).to.equal(3);
    await redis.del(keys.trafficSeconds("a"));
    expect(await read(), "without the seconds").to.deep.equal(wanted.slice(0, 3));
  });

  it("keeps the baseline with what was counted, and forgets what it is told to", async () => {
    const set = new Map([
      ["one", "1"],
      ["two", "2"],
    ]);
    await series.append("p1", [traffic("a", "v1", 1)], { set, forget: [] });
    await series.append("p1", [], { set: new Map([["one", "3"]]), forget: ["two"] });
    expect([...(await series.baseline("p1"))]).to.deep.equal([["one", "3"]]);
    expect((await series.baseline("p2")).size).to.equal(0);
  });

  it("goes by itself in the end, and at once with its app", async () => {
    await series.append("p1", [traffic("a", "v1", 1), traffic("ab", "v1", 1)], NO_CHANGE);
    for (const key of await redis.keys("sluice:traffic-*:a*"))
      expect(await redis.ttl(key), key).to.be.greaterThan(3600);
    await series.remove("a");
    expect((await redis.keys("sluice:traffic-*")).filter((key) => /:a(?::|$)/.test(key))).to.deep.equal([]);
    expect(await series.totals("ab")).to.have.length(1);
  });

  it("is exact over proxy roles that come and go, and answers of Redis that are lost", async () => {
    const web = await AnsweringServer.start();
    const running = await FakeProxy.start();
    const { proxy } = running;
    try {
      await proxy.apply(new Map([["a", routesTo("a", 1, web.address)]]), undefined);
      const options = { proxy, redis, id: "p1", isThere: () => true, log: silentLog };
      let recorder = new TrafficRecorder(options);
      for (let round = 1; round <= 8; round++) {
        for (const path of ["/200", "/404", "/500"])
          await ask(`127.0.0.1:${running.port}`, { path, headers: { host: "a.localhost" } });
        await recorder.record(Date.now());
        if (round % 3 === 0) recorder = new TrafficRecorder(options);
        if (round % 4 === 0) {
          // Written, but never heard of: what it holds in memory is void.
          recorder = new TrafficRecorder({ ...options, redis: deafTo(redis) });
          await ask(`127.0.0.1:${running.port}`, { path: "/200", headers: { host: "a.localhost" } });
          const error: unknown = await recorder.record(Date.now()).catch((reason: unknown) => reason);
          expect(String(error)).to.contain("lost");
          recorder = new TrafficRecorder(options);
        }
      }
      await recorder.record(Date.now());
      const [total] = await series.totals("a");
      expect(total).to.include({ requests: 26, answersOk: 10, answers4xx: 8, answers5xx: 8, failed: 0 });
      const entries = await series.read("a", { from: 0, to: Date.now() + MINUTE_MS, stepSeconds: 1 });
      expect(requestsOf(entries, "v1")).to.equal(26);
    } finally {
      await running.close();
      await web.stop();
    }
  });

  it("leaves no trace of an app that was destroyed, though its last requests are counted after that", async () => {
    const running = await FakeProxy.start();
    const web = await AnsweringServer.start();
    try {
      const { proxy } = running;
      const known = new Set(["a"]);
      const isThere = (app: string): boolean => known.has(app);
      const recorder = new TrafficRecorder({ proxy, redis, id: "p1", isThere, log: silentLog });
      await proxy.apply(new Map([["a", routesTo("a", 1, web.address)]]), undefined);
      const request = { path: "/200", headers: { host: "a.localhost" } };
      await ask(`127.0.0.1:${running.port}`, request);
      await recorder.record(Date.now());
      await ask(`127.0.0.1:${running.port}`, request);
      known.delete("a");
      await series.remove("a");
      await recorder.record(Date.now());
      expect(await series.totals("a")).to.deep.equal([]);
      // Nor has one that is made under its name any of them.
      known.add("a");
      await ask(`127.0.0.1:${running.port}`, request);
      await recorder.record(Date.now());
      expect((await series.totals("a"))[0]).to.include({ requests: 1, answersOk: 1 });
    } finally {
      await running.close();
      await web.stop();
    }
  });

  it("takes many apps in several transactions, each app's with how far its own counters stood", async () => {
    const apps = Array.from({ length: 120 }, (_, index) => `app-${index}`);
    let requests = 5;
    const counts = async (): Promise<Count[]> =>
      Promise.resolve(
        apps.map((app) => ({
          ...{ process: "1", key: app, release: `${app}/v1`, track: "production", asked: false, requests },
          ...{ answers4xx: 0, answers5xx: 0, faults: 0, bytes: 0, visitors: 0, goals: 0 },
          ...{ visitorsWithErrors: 0, visitorsWithManyErrors: 0, visitorsOverP90: 0, visitorsOverP99: 0 },
          latencies: new Map(),
          slot: { name: app, errors: requests },
        })),
      );
    const sizes: number[] = [];
    const breaking = { after: Infinity };
    const proxy = { counts } as unknown as FakeProxy; // It is asked for nothing else.
    const wire = { redis: measured(redis, sizes, breaking), id: "p1" };
    const options = { ...wire, proxy, isThere: () => true, log: silentLog };
    const recorder = new TrafficRecorder(options);
    await recorder.record(Date.now());
    expect(sizes).to.have.length(3);
    expect(Math.max(...sizes) * 2).to.be.lessThan(sizes.reduce((sum, size) => sum + size) * 1.1);
    requests = 7;
    breaking.after = 1;
    // The server ends between two of them; the next one begins with what is written.
    expect(await recorder.record(Date.now()).catch((error: unknown) => String(error))).to.contain("gone");
    breaking.after = Infinity;
    await new TrafficRecorder(options).record(Date.now());
    for (const app of apps) {
      const [total] = await series.totals(app);
      expect([total?.requests, total?.failed], app).to.deep.equal([7, 7]);
    }
  });

  /** As `append` does at that time. */
  async function wroteAt(at: number, proxy: string, { app, ...release }: AppTraffic): Promise<void> {
    const entry = JSON.stringify({ v: 1, proxy, releases: [release] });
    await redis.xadd(keys.trafficSeconds(app), `${at}-*`, "entry", entry);
    await redis.hsetnx(keys.trafficUnsummed(proxy), app, String(Math.floor(at / MINUTE_MS) * MINUTE_MS));
  }
});

/** Notes how many commands its transactions have; after so many it takes no more. */
function measured(redis: Database, sizes: number[], breaking: { after: number }): Database {
  return new Proxy(redis, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name);
      if (name !== "multi") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        if (breaking.after-- <= 0) throw new Error("the server is gone");
        const batch = target.multi();
        const exec = batch.exec.bind(batch);
        batch.exec = async () => (sizes.push(batch.length), exec());
        return batch;
      };
    },
  });
}

/** Its transactions are carried out, and the answers lost. */
function deafTo(redis: Database): Database {
  return new Proxy(redis, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name);
      if (name !== "multi") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        const batch = target.multi();
        const exec = batch.exec.bind(batch);
        batch.exec = async () => {
          await exec();
          throw new Error("the answer was lost");
        };
        return batch;
      };
    },
  });
}

function traffic(app: string, release: string, requests: number, track = "production"): AppTraffic {
  return { ...noTraffic(), app, release, track, requests, answersOk: requests, latencies: { 20: requests } };
}

function requestsOf(
  entries: readonly { releases: readonly { release: string; requests: number }[] }[],
  release: string,
): number {
  return entries
    .flatMap(({ releases }) => releases)
    .filter((one) => one.release === release)
    .reduce((sum, { requests }) => sum + requests, 0);
}
