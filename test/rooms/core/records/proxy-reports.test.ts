import { expect } from "chai";
import type { Database } from "../../../../core/redis/database.js";
import type { AppError } from "../../../../core/errors/app-error.js";
import { systemClock } from "../../../../core/clock.js";
import { silentLog } from "../../../../core/log.js";
import { hasApplied, ProxyReports, SILENT_AFTER_MS } from "../../../../core/records/routes/proxy-reports.js";
import { keys } from "../../../../core/redis/keys.js";
import { waitForProxies, waitForProxiesIfPossible } from "../../../../server/routes/wait-for-proxies.js";
import { DrainingInstances } from "../../../../server/routes/draining-instances.js";
import type { FakeEngine } from "../../../support/fakes/fake-engine.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const at = (revision: number, more: object = {}) => ({ revision, failing: [], leaving: [], ...more });

describe("what proxies report", () => {
  let server: TestRedis;
  let redis: Database;
  let nowMs = 0;
  let reports: ProxyReports;
  before(async () => (server = await TestRedis.start()));
  after(async () => server.dispose());
  beforeEach(async () => {
    redis = await server.connect();
    await redis.flushall();
    nowMs = 0;
    reports = new ProxyReports(redis, () => nowMs);
  });

  const silent = async (): Promise<boolean[]> => (await reports.members()).map(({ isSilent }) => isSilent);

  it("makes a proxy a member for good, and silent once nothing new of it was seen for a while", async () => {
    expect(await silent()).to.deep.equal([]);
    await reports.report("p1", at(1));
    nowMs = 1e9;
    expect(await silent(), "seen for the first time").to.deep.equal([false]);
    nowMs += SILENT_AFTER_MS - 1;
    expect(await silent()).to.deep.equal([false]);
    nowMs += 1;
    expect(await silent()).to.deep.equal([true]);
    await reports.report("p1", at(1));
    expect(await silent(), "it reports again").to.deep.equal([false]);
  });

  it("is judged by no machine's clock: steps of Redis' own change nothing", async () => {
    await reports.report("p1", at(1));
    expect(await silent()).to.deep.equal([false]);
    for (const stepMs of [-5000, 5000, -3_600_000, 3_600_000]) {
      nowMs += SILENT_AFTER_MS - 1;
      await redis.hincrby(keys.proxiesSeen, "p1", stepMs);
      expect(await silent(), String(stepMs)).to.deep.equal([false]);
    }
  });

  it("is not held against a proxy while Redis is away", async () => {
    await reports.report("p1", at(1));
    expect(await silent()).to.deep.equal([false]);
    await server.down();
    nowMs += 2 * SILENT_AFTER_MS;
    await server.up();
    await eventually("the connection is back", async () => redis.ping());
    expect(await silent()).to.deep.equal([false]);
    nowMs += SILENT_AFTER_MS;
    expect(await silent()).to.deep.equal([true]);
  });

  it("names a report that is damaged, and does not take Redis for away", async () => {
    await redis.hset(keys.proxies, "p1", "{");
    const error = await reports.members().catch((thrown: unknown) => thrown);
    expect(error).to.have.property("code", "record-unreadable");
    expect(error).to.have.property("message").that.includes(`p1 of ${keys.proxies}`);
  });

  it("ends when it is removed, unless it has reported meanwhile", async () => {
    await reports.report("p1", at(1));
    const [seen] = await reports.members();
    if (seen === undefined) throw new Error("no member");
    // Reports within one millisecond are alike.
    await eventually("time goes on", async () => {
      await reports.report("p1", at(1));
      return (await reports.members())[0]?.seenAt !== seen.seenAt;
    });
    expect(await reports.remove(seen)).to.equal(false);
    const [again] = await reports.members();
    expect(again && (await reports.remove(again))).to.equal(true);
    expect(await reports.members()).to.deep.equal([]);
    expect(await redis.keys("*")).to.deep.equal([keys.events]);
  });

  it("is no application of an app's table that it could not apply", async () => {
    await reports.report("p1", at(7, { failing: ["bad"] }));
    const [member] = await reports.members();
    if (member === undefined) throw new Error("no member");
    expect(hasApplied(member, 7, "good")).to.equal(true);
    expect(hasApplied(member, 8, "good")).to.equal(false);
    expect(hasApplied(member, 7, "bad")).to.equal(false);
  });

  it("holds a switch up for nobody who was silent before, and says who that is", async () => {
    const tools = { proxyReports: reports, clock: systemClock, log: silentLog };
    await reports.report("p1", at(1));
    await reports.report("p2", at(2));
    await silent();
    nowMs += SILENT_AFTER_MS;
    await reports.report("p2", at(2));
    const error: unknown = await waitForProxies(tools, 2, "a").catch((reason: unknown) => reason);
    expect(String(error)).to.match(/proxy \(p1\) did not apply revision 2 and has not reported since 20/);
    expect((error as AppError).hint).to.include("sluice hosts remove p1");
    expect((await waitForProxiesIfPossible(tools, 2, "a"))?.code).to.equal("proxy-silent");
    expect(await waitForProxiesIfPossible(tools, 1, "a")).to.equal(undefined);
  });

  it("waits for a proxy that is merely late", async () => {
    const tools = { proxyReports: reports, clock: systemClock };
    await reports.report("p1", at(1));
    let isDone = false;
    const waiting = waitForProxies(tools, 2, "a").then(() => (isDone = true));
    await reports.report("p1", at(1));
    expect(isDone).to.equal(false);
    await reports.report("p1", at(2));
    await waiting;
  });

  it("has no load of a proxy that counted before it followed the table, or is silent", async () => {
    await reports.report("p1", at(5));
    const loads = async (revision: number) => (await reports.loadsOf(["a/v1"], revision)).get("a/v1");
    expect(await loads(5)).to.deep.equal([undefined]);
    const load = { connections: 0, idleSeconds: 9, revision: 5 };
    await reports.reportLoads("p1", new Map([["a/v1", load]]));
    expect(await loads(5)).to.deep.equal([load]);
    expect(await loads(6)).to.deep.equal([undefined]);
    nowMs += SILENT_AFTER_MS;
    expect(await loads(5)).to.deep.equal([undefined]);
  });

  it("stops an instance that leaves when every proxy is through with it, however long one is silent", async () => {
    const stopped: string[] = [];
    const engine = {
      state: async () => Promise.resolve({ address: "127.0.0.1:1" }),
      stop: async (id: string) => Promise.resolve(stopped.push(id)),
    } as unknown as FakeEngine; // What only asks for these two.
    let looks = 0;
    const watched = { members: async () => (looks++, reports.members()) } as unknown as ProxyReports;
    const leaving = new DrainingInstances({
      ...{ proxyReports: watched, engine, clock: systemClock, log: silentLog, stopSeconds: 1 },
    });
    const severalLooks = async (): Promise<void> => {
      const before = looks;
      await eventually("it has looked again", () => looks > before + 2);
    };
    await reports.report("p1", at(1));
    leaving.begin("a.v1.web.2", { goneSince: 2, drainSeconds: 0 });
    await severalLooks();
    nowMs += SILENT_AFTER_MS;
    await severalLooks();
    expect(stopped).to.deep.equal([]);
    await reports.report("p1", at(2, { failing: ["a"] }));
    await severalLooks();
    expect(stopped).to.deep.equal([]);
    await reports.report("p1", at(2));
    await eventually("it is stopped", () => stopped.length === 1);
    leaving.begin("a.v1.web.3", { goneSince: 2, drainSeconds: 600 });
    await reports.report("p1", at(2, { leaving: ["127.0.0.1:1"] }));
    stopped.length = 0;
    leaving.begin("a.v1.web.4", { goneSince: 2, drainSeconds: 600 });
    await severalLooks();
    expect(stopped).not.to.include("a.v1.web.4");
    await leaving.stop();
  });
});
