import { expect } from "chai";
import type { Database } from "../../../../core/redis/database.js";
import { toAppError, type AppError } from "../../../../core/errors/app-error.js";
import { ProxyReports } from "../../../../core/records/routes/proxy-reports.js";
import { WakeRequests } from "../../../../core/records/routes/wake-requests.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

describe("a connection to Redis", function () {
  this.timeout(20_000);
  let server: TestRedis;
  let redis: Database;
  before(async () => (server = await TestRedis.start()));
  beforeEach(async () => {
    redis = await server.connect();
    await redis.set("text", "no number");
  });
  afterEach(() => redis.disconnect());
  after(async () => server.dispose());

  const refusals: Record<string, { ask: () => Promise<unknown>; says: string }> = {
    "a key of another type": { ask: async () => redis.hset("text", "a", "b"), says: "HSET: WRONGTYPE" },
    "a script that fails": { ask: async () => redis.eval("error('no')", 0), says: "EVAL: ERR " },
    "a word of a command of several": {
      ask: async () => redis.call("ACL", "SETUSER", "x", "nonsense"),
      says: "ACL SETUSER: ERR ",
    },
    "one command of a pipeline": {
      ask: async () => redis.pipeline().set("a", "b").incr("text").exec(),
      says: "a batch of commands: ERR value is not an integer",
    },
    "one command of a transaction": {
      ask: async () => redis.multi().set("a", "b").lpush("text", "c").exec(),
      says: "MULTI: WRONGTYPE",
    },
    "no memory": { ask: async () => whileSet("maxmemory", "1", "0"), says: "SET: OOM" },
    "a replica": {
      ask: async () => {
        await redis.replicaof("127.0.0.1", "1");
        return redis.set("a", "b").finally(async () => redis.replicaof("NO", "ONE"));
      },
      says: "SET: READONLY",
    },
  };
  for (const [name, { ask, says }] of Object.entries(refusals)) {
    it(`tells a refusal as one, by the command's name: ${name}`, async () => {
      const error = await failureOf(ask());
      expect(error).to.include({ code: "redis-refused", retriable: false });
      expect(error.message).to.include(`Redis refused ${says}`);
    });
  }

  it("tells a user's missing permission as a refusal", async () => {
    await redis.call("ACL", "SETUSER", "guest", "on", "nopass", "~*", "+@all", "-incr");
    await redis.auth("guest", "x");
    const error = await failureOf(redis.incr("a"));
    expect(error).to.include({ code: "redis-refused" });
    expect(error.message).to.include("INCR: NOPERM");
  });

  it("tells an absence as one, whatever was asked, also in stores that do not translate", async () => {
    redis.disconnect();
    const report = { revision: 0, failing: [], leaving: [] };
    for (const ask of [
      async () => redis.get("text"),
      async () => redis.eval("return 1", 0),
      async () => redis.call("ACL", "LIST"),
      async () => redis.pipeline().set("a", "b").exec(),
      async () => redis.multi().set("a", "b").exec(),
      async () => new ProxyReports(redis).report("here", report),
      async () => new ProxyReports(redis).leave("here"),
      async () => new WakeRequests(redis).waiting(),
    ]) {
      const error = await failureOf(ask());
      expect(error, error.message).to.include({ code: "redis-unavailable", retriable: true });
    }
  });

  it("tells what ends by itself as an absence", async () => {
    await redis.config("SET", "busy-reply-threshold", "1");
    const other = await server.connect();
    const long = other.eval("while true do end", 0).catch(() => undefined);
    let error: AppError | undefined;
    while (error === undefined) {
      await redis.get("text").catch((problem: unknown) => (error = toAppError(problem)));
    }
    await redis.script("KILL");
    expect(error.message).to.include("BUSY");
    expect(error).to.include({ code: "redis-unavailable" });
    await long;
  });

  async function whileSet(setting: string, value: string, usual: string): Promise<unknown> {
    await redis.config("SET", setting, value);
    return redis.set("a", "b").finally(async () => redis.config("SET", setting, usual));
  }
});

/** As a person would see it. */
async function failureOf(asked: Promise<unknown>): Promise<AppError> {
  return asked.then(
    (answer) => expect.fail(`it answered ${String(answer)}`),
    (error: unknown) => toAppError(error),
  );
}
