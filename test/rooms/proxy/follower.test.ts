import { expect } from "chai";
import type { Database } from "../../../core/redis/database.js";
import { silentLog } from "../../../core/log.js";
import { ProxyReports, type ProxyMember } from "../../../core/records/routes/proxy-reports.js";
import { emptyRouteTable, type RouteTable } from "../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../core/records/routes/route-tables.js";
import { keys } from "../../../core/redis/keys.js";
import { Follower } from "../../../proxy/follow.js";
import type { AppRoutes, Proxy } from "../../../proxy/proxy.js";
import { eventually } from "../../support/eventually.js";
import { TestRedis } from "../../support/redis/test-redis.js";
import { throughout } from "../../support/throughout.js";

describe("what keeps a proxy at the routes", function () {
  this.timeout(30_000);
  let server: TestRedis;
  let redis: Database;
  let tables: RouteTables;
  let reports: ProxyReports;
  let proxy: Obstinate;
  let following: { stop(): Promise<void> } | undefined;
  let [followed, nowMs] = [0, 0];
  before(async () => (server = await TestRedis.start()));
  after(async () => server.dispose());
  beforeEach(async () => {
    redis = await server.connect();
    await redis.flushall();
    tables = new RouteTables(redis);
    reports = new ProxyReports(redis);
    proxy = new Obstinate();
  });
  afterEach(async () => {
    proxy.letGo();
    await following?.stop();
    following = undefined;
  });

  const follow = async (): Promise<void> => {
    const options = { proxy, redis: await server.connect(), id: "p1", log: silentLog };
    const follower = new Follower({
      ...options,
      domain: "localhost",
      defaultApp: undefined,
      extraConnections: () => 0,
      onFollowing: async () => {
        followed++;
        return Promise.resolve();
      },
      certificateBox: async () => Promise.resolve(undefined),
      sharedAddress: "127.0.0.1",
      monotonicMs: () => nowMs,
    });
    following = await follower.start();
  };
  const change = async (app: string): Promise<number> => tables.update(app, () => tableOf(app, ++number));
  let number = 0;
  const member = async (): Promise<ProxyMember | undefined> => (await reports.members())[0];
  const isAt = async (revision: number): Promise<boolean> =>
    ((await member())?.report.revision ?? 0) >= revision;

  it("reports while it is held up by the proxy, and takes nothing for applied that is not", async () => {
    const before = await change("a");
    await follow();
    await eventually("it follows", async () => isAt(before));
    proxy.hold();
    const revision = await change("a");
    await eventually("it is held up", () => proxy.isHolding);
    const seen = new Set<number>();
    const hasReported = (): boolean => seen.size >= 3;
    await throughout(hasReported, async () => {
      const now = await member();
      seen.add(now?.seenAt ?? 0);
      expect(now?.report.revision).to.equal(before);
    });
    proxy.letGo();
    await eventually("it goes on", async () => isAt(revision));
  });

  it("tells whether it follows: not while a step is stuck, but while Redis is away and no proxy can", async () => {
    await follow();
    await eventually("it says so", () => followed > 0);
    proxy.hold();
    await change("a");
    await eventually("it is held up", () => proxy.isHolding);
    nowMs += 10_001;
    const before = followed;
    const seenAt = new Set<number>();
    await eventually(
      "it has reported twice",
      async () => seenAt.add((await member())?.seenAt ?? 0).size >= 3,
    );
    expect(followed, "a beat may have begun before").to.be.at.most(before + 1);
    await server.down();
    await eventually("it says so", () => followed > before + 1);
    await server.up();
  });

  it("says that its machine has the address that proxies share", async () => {
    await follow();
    await eventually("it reports", async () => (await member())?.report.hasSharedAddress === true);
  });

  it("begins again when it was cut off, also when a step was under way just then", async () => {
    await redis.set(keys.revision, 100);
    await follow();
    proxy.hold();
    await change("a");
    await eventually("a step is under way", () => proxy.isHolding);
    const subscribers = async (): Promise<string[]> =>
      [...String(await redis.call("CLIENT", "LIST", "TYPE", "pubsub")).matchAll(/id=(\d+).*? sub=1 /g)].map(
        ([, id = ""]) => id,
      );
    const before = await subscribers();
    // As after a crash of a Redis that had not written its last second.
    await redis.set(keys.revision, 50);
    await change("b");
    await redis.call("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually("it listens again", async () => {
      const now = await subscribers();
      return now.length === before.length && !now.some((id) => before.includes(id));
    });
    proxy.letGo();
    await eventually("what was missed is applied", () => proxy.routed.has("b"));
  });

  it("applies the changes of the others when one app's cannot be, and says of which", async () => {
    await follow();
    proxy.refused.add("bad");
    const others = ["a", "b", "c", "d", "e"];
    proxy.hold();
    await change("first");
    await eventually("the next ones come together", () => proxy.isHolding);
    let revision = 0;
    for (const app of ["a", "b", "bad", "c", "d", "e"]) revision = await change(app);
    proxy.letGo();
    await eventually("it follows", async () => isAt(revision));
    expect([...proxy.routed.keys()]).to.have.members(["first", ...others]);
    expect((await member())?.report.failing).to.deep.equal(["bad"]);
    const later = await change("a");
    await eventually("it follows", async () => isAt(later));
    expect((await member())?.report.failing).to.deep.equal(["bad"]);
    proxy.refused.clear();
    await eventually("it is applied", () => proxy.routed.has("bad"));
    await eventually("it says so", async () => (await member())?.report.failing.length === 0);
  });

  it("takes a proxy that refuses everything for what it is, and nothing for applied", async () => {
    await follow();
    proxy.isBroken = true;
    const revision = await change("a");
    await eventually("it was asked", () => proxy.attempts > 2);
    expect(await isAt(revision)).to.equal(false);
    proxy.isBroken = false;
    await eventually("it follows", async () => isAt(revision));
  });

  it("takes the canaries out by an alert that the proxy could not take at first", async () => {
    const share = (): number | undefined => proxy.routed.get("a")?.splits.get("a/production")?.share;
    await tables.update("a", () => withCanary(tableOf("a", 1), 2));
    await follow();
    await eventually("the canary has its share", () => share() === 30);
    proxy.isBroken = true;
    const { attempts } = proxy;
    await redis.set(keys.alert, "yes");
    await eventually("it was tried", () => proxy.attempts > attempts);
    proxy.isBroken = false;
    await eventually("the canary has none", () => share() === 0);
  });

  it("leaves an app as it is whose table it cannot read, and follows the others", async () => {
    await redis.hset(keys.routes, "later", '{"v":2}');
    await redis.zadd(keys.routeChanges, await redis.incr(keys.revision), "later");
    const revision = await change("a");
    await follow();
    await eventually("it follows", async () => isAt(revision));
    expect((await member())?.report.failing).to.deep.equal(["later"]);
    await redis.hset(keys.routes, "later", JSON.stringify(tableOf("later", 1)));
    await redis.zadd(keys.routeChanges, await redis.incr(keys.revision), "later");
    await eventually("it is read", () => proxy.routed.has("later"));
  });

  it("learns that an app is gone, also when it was away for longer than that is remembered", async () => {
    const [stays, goes] = [await change("stays"), await change("goes")];
    await follow();
    await eventually("it follows", async () => isAt(Math.max(stays, goes)));
    await following?.stop();
    await tables.remove("goes");
    for (let index = 0; index < 250; index++) {
      await change(`brief-${index}`);
      await tables.remove(`brief-${index}`);
    }
    expect(await redis.zcard(keys.routeChanges)).to.be.at.most(201);
    expect(await redis.zscore(keys.routeChanges, "goes")).to.equal(null);
    await follow();
    await eventually("it knows", () => !proxy.routed.has("goes"));
    expect([...proxy.routed.keys()]).to.deep.equal(["stays"]);
    const away = await tables.changedSince(Math.max(stays, goes));
    expect(away.isComplete).to.equal(true);
    expect([...away.changes].filter(([, table]) => table !== undefined).map(([app]) => app)).to.deep.equal([
      "stays",
    ]);
  });

  it("keeps the routes that there are when Redis has lost everything", async () => {
    const revision = await change("a");
    await follow();
    await eventually("it follows", async () => isAt(revision));
    await following?.stop();
    await redis.flushall();
    await follow();
    await change("b");
    await eventually("it follows", () => proxy.routed.has("b"));
    expect([...proxy.routed.keys()]).to.have.members(["a", "b"]);
  });
});

function tableOf(app: string, number: number): RouteTable {
  const server = { id: `${app}.v${number}.web.1`, address: "127.0.0.1:1" };
  return {
    ...emptyRouteTable(app),
    tracks: { production: number },
    releases: [
      {
        ...{ number, track: "production", servers: [server], sticky: false, asleep: false, sleepSeconds: 0 },
        ...{ expireSeconds: 0, since: 0, drainSeconds: 9, standbySeconds: 0, sessionIdleSeconds: 60 },
      },
    ],
  };
}

function withCanary(table: RouteTable, number: number): RouteTable {
  const releases = table.releases.map((release) => ({ ...release, number, track: "canary" }));
  return {
    ...table,
    tracks: { ...table.tracks, canary: number },
    releases: [...table.releases, ...releases],
    canary: { share: 30, isManual: false },
  };
}

/** A proxy that serves nobody, and can be slow or refuse. */
class Obstinate implements Proxy {
  readonly routed = new Map<string, AppRoutes>();
  readonly refused = new Set<string>();
  isBroken = false;
  isHolding = false;
  attempts = 0;
  private held: { readonly until: Promise<void>; go(): void } | undefined;

  hold(): void {
    let go = (): void => undefined;
    const until = new Promise<void>((resolve) => (go = resolve));
    this.held = { until, go };
  }

  letGo(): void {
    this.held?.go();
    this.held = undefined;
  }

  async apply(changes: ReadonlyMap<string, AppRoutes | undefined>): Promise<void> {
    this.attempts++;
    this.isHolding = this.held !== undefined;
    await this.held?.until;
    this.isHolding = false;
    if (this.isBroken || [...changes.keys()].some((app) => this.refused.has(app)))
      throw new Error("no place for that");
    for (const [app, routes] of changes) {
      if (routes === undefined) this.routed.delete(app);
      else this.routed.set(app, routes);
    }
  }

  async addCertificates(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async keepCertificates(): Promise<void> {
    return Promise.resolve();
  }

  async answerChallenges(): Promise<void> {
    return Promise.resolve();
  }

  async apps(): Promise<ReadonlySet<string>> {
    return this.isBroken
      ? Promise.reject(new Error("nobody there"))
      : Promise.resolve(new Set(this.routed.keys()));
  }

  async loads(): Promise<ReadonlyMap<string, never>> {
    return Promise.resolve(new Map<string, never>());
  }

  async sweep(): Promise<void> {
    return Promise.resolve();
  }

  async leaving(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async counts(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }
}
