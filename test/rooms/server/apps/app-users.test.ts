import { expect } from "chai";
import { randomBytes } from "node:crypto";
import type { Database } from "../../../../core/redis/database.js";
import { SecretBox } from "../../../../core/secrets.js";
import { AppStore } from "../../../../server/apps/app-store.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const ME = { by: "me" };

describe("the user of an app", () => {
  let server: TestRedis;
  let redis: Database;
  const box = new SecretBox(randomBytes(32));
  const store = (firstUid: number): AppStore => new AppStore(redis, box, firstUid, []);
  before(async () => {
    server = await TestRedis.start();
    redis = await server.connect();
  });
  after(async () => server.dispose());
  beforeEach(async () => redis.flushall());

  it("is none below instances.firstUid, whatever a record says", async () => {
    await store(1000).ensure("shop", ME);
    const problem: unknown = await store(200_000)
      .read("shop")
      .catch((error: unknown) => error);
    expect(problem).to.have.property("code", "uid-refused");
    expect((await store(200_000).listAll()).unreadable.get("shop")).to.have.property("code", "uid-refused");
  });

  it("is none so high that it wraps around to root's, whatever counts the users", async () => {
    await redis.set("sluice:last-uid", String(2 ** 32 - 1));
    const problem: unknown = await store(200_000)
      .ensure("shop", ME)
      .catch((error: unknown) => error);
    expect(problem).to.have.property("code", "uid-refused");
  });

  it("is another for each, though they come at once, and though what counts them is lost", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `app-${index}`);
    await Promise.all(names.map(async (name) => store(200_000).ensure(name, ME)));
    await redis.del("sluice:last-uid");
    await store(200_000).ensure("late", ME);
    const uids = (await store(200_000).list()).map(({ uid }) => uid);
    expect(new Set(uids).size).to.equal(names.length + 1);
  });
});
