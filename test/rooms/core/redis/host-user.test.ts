import { expect } from "chai";
import type { Database } from "../../../../core/redis/database.js";
import { hostUserRules, redisUserOfHost, type HostRight } from "../../../../core/redis/host-user.js";
import { keys } from "../../../../core/redis/keys.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

/** What a host that was broken into could do with its password. */
const NOT_FOR_HOSTS: readonly (readonly [string, ...string[]])[] = [
  ["HSET", keys.routes, "shop", "{}"],
  ["HSET", keys.apps, "shop", "{}"],
  ["HSET", keys.tokens, "id", "{}"],
  ["HSET", keys.sshKeys, "id", "{}"],
  ["HSET", keys.releases("shop"), "1", "{}"],
  ["HSET", keys.fleetHosts, "web-1", "{}"],
  ["HGETALL", keys.config("shop")],
  ["HGETALL", keys.tokens],
  ["HGETALL", keys.webhooks],
  ["SET", "sluice:flags:shop", "x"],
  ["GET", "app:shop:secret"],
  ["PUBLISH", "app:shop:chat", "x"],
  ["KEYS", "*"],
  ["FLUSHALL"],
  ["CONFIG", "GET", "*"],
  ["ACL", "LIST"],
  ["CLIENT", "LIST"],
  ["REPLICAOF", "10.0.0.9", "6379"],
  ["SHUTDOWN"],
  ["EVAL", "return redis.call('HGETALL', KEYS[1])", "1", keys.tokens],
];

describe("what another host may do in Sluice's Redis", function () {
  this.timeout(30_000);
  let own: OwnRedis;
  before(async () => (own = await OwnRedis.start()));
  after(async () => own.stop());

  const connect = async (rights: readonly HostRight[]): Promise<Database> => {
    await own.redis.call("ACL", "SETUSER", ...hostUserRules("web-1", rights, "a password"));
    return own.redis.another({ username: redisUserOfHost("web-1"), password: "a password" });
  };

  for (const rights of [["monitor"], ["monitor", "proxy"]] satisfies HostRight[][])
    it(`is nothing with apps, releases, routes, secrets, or Redis itself (${rights.join(", ")})`, async () => {
      const host = await connect(rights);
      try {
        for (const command of NOT_FOR_HOSTS) {
          const [name, ...args] = command;
          const answer = await host.call(name, ...args).then(
            () => "done",
            (error: unknown) => String(error),
          );
          expect(answer, command.join(" ")).to.match(/NOPERM|No permissions/i);
        }
      } finally {
        host.disconnect();
      }
    });

  it("is to write its figures and to read the routes, and with a proxy to report", async () => {
    const monitor = await connect(["monitor"]);
    try {
      await monitor.hset(keys.hosts, "web-1", "{}");
      await monitor.xadd(keys.sampleSeconds("web-1"), "*", "entry", "{}");
      await monitor.hgetall(keys.routes);
      const report = await monitor.hset(keys.proxies, "web-1:/var/lib/sluice", "{}").catch(String);
      expect(report).to.match(/NOPERM|No permissions/i);
    } finally {
      monitor.disconnect();
    }
    const proxy = await connect(["monitor", "proxy"]);
    try {
      await proxy.hset(keys.proxies, "web-1:/var/lib/sluice", "{}");
      await proxy.subscribe(keys.routesChannel);
    } finally {
      proxy.disconnect();
    }
  });
});
