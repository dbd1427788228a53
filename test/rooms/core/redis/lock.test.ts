import { expect } from "chai";
import { once } from "node:events";
import type { Database } from "../../../../core/redis/database.js";
import { isAppError } from "../../../../core/errors/app-error.js";
import { emptyRouteTable } from "../../../../core/records/routes/route-table.js";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { keys } from "../../../../core/redis/keys.js";
import { readLock, takeLock } from "../../../../core/redis/lock.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";
import { throughout } from "../../../support/throughout.js";

const FAST = { renewMs: 20, lifeMs: 2000 };

describe("the right to release an app", function () {
  this.timeout(20_000);
  let server: TestRedis;
  let redis: Database;
  before(async () => (server = await TestRedis.start()));
  beforeEach(async () => {
    redis = await server.connect();
    await redis.flushall();
  });
  afterEach(() => redis.disconnect());
  after(async () => server.dispose());

  it("is one server's: another is told who has it, and since when", async () => {
    const lock = await takeLock(redis, "shop", "one", "a release");
    const busy = await failureOf(takeLock(redis, "shop", "two", "a release"));
    expect(isAppError(busy, "release-busy")).to.equal(true);
    expect(String(busy))
      .to.include("one")
      .and.to.include((await readLock(redis, "shop"))?.since);
    await takeLock(redis, "blog", "two", "a release");
    await lock.release();
    expect((await readLock(redis, "shop"))?.who).to.equal(undefined);
    await takeLock(redis, "shop", "two", "a release");
  });

  it("is taken over from the server's own earlier self, which has lost it", async () => {
    const earlier = await takeLock(redis, "shop", "one", "a release", FAST);
    const lost = once(earlier.lost, "abort");
    const later = await takeLock(redis, "shop", "one", "a release", FAST);
    await lost;
    expect(isAppError(earlier.lost.reason, "release-lock-lost")).to.equal(true);
    // It gives back what is not its own any more.
    await earlier.release();
    expect((await readLock(redis, "shop"))?.token).to.equal(later.token);
    expect(later.lost.aborted).to.equal(false);
    await later.release();
    expect(await readLock(redis, "shop")).to.equal(undefined);
  });

  it("is kept longer than its life, as long as somebody keeps it", async () => {
    const lock = await takeLock(redis, "shop", "one", "a release", { renewMs: 20, lifeMs: 1500 });
    const { token } = lock;
    const until = performance.now() + 3500;
    await throughout(
      () => performance.now() > until,
      async () => {
        expect((await readLock(redis, "shop"))?.token).to.equal(token);
      },
    );
    await lock.release();
  });

  it("runs out when nobody keeps it", async () => {
    const other = await server.connect();
    const lock = await takeLock(other, "shop", "one", "a release", { renewMs: 20, lifeMs: 300 });
    const lost = once(lock.lost, "abort");
    other.disconnect();
    await eventually("another can take it", async () => takeLock(redis, "shop", "two", "a release"));
    // It knows without an answer.
    await lost;
  });

  it("is lost at work when it is deleted: what works is told, and can write no more", async () => {
    const lock = await takeLock(redis, "shop", "one", "a release", FAST);
    const routes = new RouteTables(redis).under(lock);
    const releases = new ReleaseStore(redis).under(lock);
    const draft = await releases.draft({
      ...{ app: "shop", commit: "c", branch: "main", track: "production", source: "push", by: "me" },
      ...{ steps: "deploy", processes: [] },
    });
    const release = {
      ...{ number: 1, track: "production", servers: [], sticky: false, asleep: false, sleepSeconds: 0 },
      ...{ expireSeconds: 0, since: 0, drainSeconds: 1, standbySeconds: 0, sessionIdleSeconds: 60 },
    };
    await releases.save(draft);
    await routes.update("shop", () => ({ ...emptyRouteTable("shop"), releases: [release] }));
    await redis.del(keys.lock("shop"));
    const failed = { ...draft, phase: "failed" as const };
    for (const write of [
      async () => releases.save(failed),
      async () => releases.advance(draft, "failed"),
      async () => routes.update("shop", (table) => ({ ...table, tracks: { production: 1 } }), [failed]),
    ]) {
      const refusal = await failureOf(write());
      expect(isAppError(refusal, "release-lock-lost"), String(refusal)).to.equal(true);
    }
    expect((await routes.read("shop")).tracks).to.deep.equal({});
    expect((await releases.find("shop", 1))?.phase).to.equal("queued");
    await eventually("it is told", () => lock.lost.aborted);
    // Whoever has it now can.
    const next = await takeLock(redis, "shop", "two", "a release", FAST);
    await new ReleaseStore(redis).under(next).save(failed);
    expect((await releases.find("shop", 1))?.phase).to.equal("failed");
    await next.release();
  });
});

async function failureOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => expect.fail("it was done"),
    (error: unknown) => error,
  );
}
