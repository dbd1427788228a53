import { expect } from "chai";
import { KeyWatch } from "../../../../core/redis/key-watch.js";
import { eventually } from "../../../support/eventually.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

describe("a watch of keys", function () {
  this.timeout(20_000);
  let server: TestRedis;
  beforeEach(async () => (server = await TestRedis.start()));
  afterEach(async () => server.dispose());

  it("hears of its own keys, beside another watch of the same connection, also after Redis was away", async () => {
    const redis = await server.connect();
    const writer = await server.connect();
    const heard: Record<string, (string | undefined)[]> = { "a:": [], "b:": [] };
    const watches = Object.keys(heard).map(
      (prefix) => new KeyWatch(redis, prefix, (key) => heard[prefix]?.push(key)),
    );
    for (const watch of watches) await watch.start();
    try {
      await eventually("both listen", () => Object.values(heard).every(({ length }) => length > 0));
      await writer.set("a:1", "x");
      await writer.hset("b:1", "x", "y");
      await eventually("both hear", () => heard["a:"]?.includes("a:1") && heard["b:"]?.includes("b:1"));
      await server.down();
      await server.up();
      await eventually("it can be written", async () => writer.set("a:2", "x"));
      const after = Object.values(heard).map(({ length }) => length);
      await eventually("both hear again", async () => {
        await writer.set("a:3", "x");
        await writer.set("b:3", "x");
        return heard["a:"]?.includes("a:3") && heard["b:"]?.includes("b:3");
      });
      expect(Object.values(heard).every(({ length }, index) => length > (after[index] ?? 0))).to.equal(true);
      expect(heard["a:"]?.some((key) => key?.startsWith("b:"))).to.equal(false);
    } finally {
      for (const watch of watches) watch.stop();
    }
  });
});
