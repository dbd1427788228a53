import { expect } from "chai";
import type { Database } from "../../../../core/redis/database.js";
import { silentLog } from "../../../../core/log.js";
import { connectRedis, openRedis } from "../../../../core/redis/connection.js";
import { CuttingRedis } from "../../../support/redis/cutting-redis.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

describe("the wire to Redis that tests cut", function () {
  this.timeout(20_000);
  let server: TestRedis;
  let wire: CuttingRedis;
  let direct: Database;
  before(async () => {
    server = await TestRedis.start();
    wire = await CuttingRedis.before({ path: server.socket });
    direct = await server.connect();
  });
  after(async () => {
    await wire.stop();
    await server.dispose();
  });

  for (const kind of ["socket", "url"] as const) {
    it(`loses an answer, not what was asked for (${kind})`, async () => {
      const redis = connectRedis(
        kind === "socket" ? { kind, path: wire.socket, password: "" } : { kind, url: wire.url },
        silentLog,
      );
      await openRedis(redis);
      const lost = wire.loseAnswer(([command, key]) => command === "incr" && key === kind);
      expect(await redis.incr("another")).to.be.a("number");
      const failure = await redis.incr(kind).then(
        () => undefined,
        (error: unknown) => error,
      );
      await lost;
      expect(failure).to.be.instanceOf(Error);
      expect(await direct.get(kind)).to.equal("1");
      await eventually("it is connected again", async () => (await redis.get(kind)) === "1");
      wire.away();
      await eventually("it is away", async () =>
        redis.ping().then(
          () => false,
          () => true,
        ),
      );
      wire.back();
      await eventually("it is back", async () => redis.get(kind).then((value) => value === "1"));
      redis.disconnect();
    });
  }
});
