import { expect } from "chai";
import { isAlert } from "../../../../core/records/alerts/is-alert.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

describe("sluice:alert", () => {
  let redis: TestRedis;
  before(async () => (redis = await TestRedis.start()));
  after(async () => redis.dispose());

  it("takes every canary out of the traffic when it says yes, and by no other word or type", async () => {
    const connection = await redis.connect();
    const seen: boolean[] = [];
    for (const set of [
      async () => connection.set("sluice:alert", "yes"),
      async () => connection.set("sluice:alert", "no"),
      async () => connection.set("sluice:alert", "YES"),
      async () => connection.hset("sluice:alert", "yes", "yes"),
      async () => connection.lpush("sluice:alert", "yes"),
    ]) {
      await connection.del("sluice:alert");
      seen.push(await isAlert(connection));
      await set();
      seen.push(await isAlert(connection));
    }
    expect(seen).to.deep.equal([false, true, ...Array<boolean>(8).fill(false)]);
  });

  it("is not known while Redis does not answer", async () => {
    const connection = await redis.connect();
    connection.disconnect();
    const problem = await isAlert(connection).catch((error: unknown) => String(error));
    expect(problem).to.match(/closed|writeable/i);
  });
});
