import { expect } from "chai";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { join } from "node:path";
import { hashToken, makeSecret } from "../../../core/secrets.js";
import { control, supervise } from "../../../core/exec/runsv.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

interface Status {
  readonly redis: { readonly pid: number };
  readonly appsRedis: { readonly state: string; readonly pid: number };
}

/** Earlier versions had one Redis, with the apps in it: a port, an ACL user for each app, `app:APP:*` beside the records. */
describe("an upgrade from one Redis for all", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let port: number;
  let password: string;
  let old: Redis;
  before(async () => {
    sluice = await TestSluice.prepare();
    port = await freePort();
    password = makeSecret();
  });
  after(async () => {
    old.disconnect();
    await sluice.dispose();
  });

  /** As the earlier version started it, under its own runsv. */
  async function startOldRedis(): Promise<void> {
    const folder = join(sluice.home, "redis");
    await mkdir(folder, { recursive: true });
    const user = `user app-shop on #${hashToken("app-password")} resetchannels &app:shop:* ~app:shop:* +@all -@admin`;
    const files = {
      password: `${password}\n`,
      port: `${port}\n`,
      "users.acl": `user default on #${hashToken(password)} ~* &* +@all\n${user}\n`,
      "redis.conf": [
        ...["bind 127.0.0.1", `port ${port}`, `unixsocket ${folder}/redis.sock`, `dir ${folder}`],
        ...[`aclfile ${folder}/users.acl`, "appendonly yes", "appendfsync always", 'save ""'],
      ].join("\n"),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const service = join(sluice.home, "services/redis");
    await mkdir(join(service, "log"), { recursive: true });
    await writeFile(join(service, "run"), `#!/bin/sh\nexec redis-server ${folder}/redis.conf\n`, {
      mode: 0o700,
    });
    await writeFile(join(service, "log/run"), "#!/bin/sh\nexec cat > /dev/null\n", { mode: 0o700 });
    await supervise(service, { PATH: process.env["PATH"] ?? "" });
    await control(service, "u");
  }

  it("moves the apps' keys with their times to live, shuts them out of Sluice's own, and keeps the port", async () => {
    await startOldRedis();
    old = new Redis({ path: join(sluice.home, "redis/redis.sock"), password, retryStrategy: () => 50 });
    old.on("error", () => undefined);
    await eventually("the old Redis answers", async () => old.ping());
    const app = new Redis(`redis://app-shop:app-password@127.0.0.1:${port}/0`, { retryStrategy: () => null });
    app.on("error", () => undefined);
    await app.set("app:shop:text", "red");
    await app.set("app:shop:short", "gone soon", "EX", 1000);
    await app.rpush("app:shop:list", "a", "b");
    await app.hset("app:shop:hash", { a: "1" });
    await app.zadd("app:shop:ranks", 1, "a");
    await app.sadd("app:shop:set", "a");
    await app.xadd("app:shop:stream", "1-1", "a", "b");
    await app.setbit("app:shop:bits", 7, 1);
    await old.select(1);
    await old.set("app:shop:elsewhere", "blue");
    await old.select(0);
    await old.hset("sluice:flags:shop", "dark", "1");
    await old.rpush("sluice:kept", "1");
    await sluice.up();

    const own = await sluice.redis();
    const kept = await own.redis.keys("*");
    expect(kept).to.include.members(["sluice:flags:shop", "sluice:kept"]);
    expect(kept.filter((key) => key.startsWith("app:"))).to.deep.equal([]);
    expect(await own.redis.config("GET", "port")).to.deep.equal(["port", "0"]);
    expect(await own.redis.acl("USERS")).to.deep.equal(["default"]);
    own.close();
    await eventually("the app's connection has ended", () => app.status === "end");

    expect((await readFile(join(sluice.home, "apps-redis/port"), "utf8")).trim()).to.equal(String(port));
    const apps = new Redis({
      path: join(sluice.home, "apps-redis/redis.sock"),
      password: (await readFile(join(sluice.home, "apps-redis/password"), "utf8")).trim(),
    });
    try {
      expect(await apps.get("app:shop:text")).to.equal("red");
      expect(await apps.ttl("app:shop:text")).to.equal(-1);
      expect(await apps.ttl("app:shop:short")).to.be.within(900, 1000);
      expect(await apps.lrange("app:shop:list", 0, -1)).to.deep.equal(["a", "b"]);
      expect(await apps.hgetall("app:shop:hash")).to.deep.equal({ a: "1" });
      expect(await apps.zscore("app:shop:ranks", "a")).to.equal("1");
      expect(await apps.smembers("app:shop:set")).to.deep.equal(["a"]);
      expect(await apps.xrange("app:shop:stream", "-", "+")).to.deep.equal([["1-1", ["a", "b"]]]);
      expect(await apps.getbit("app:shop:bits", 7)).to.equal(1);
      expect(await apps.hgetall("sluice:flags:shop")).to.deep.equal({ dark: "1" });
      expect(await apps.config("GET", "maxmemory")).to.deep.equal(["maxmemory", String(256 << 20)]);
      expect(await apps.config("GET", "appendfsync")).to.deep.equal(["appendfsync", "everysec"]);
      await apps.select(1);
      expect(await apps.get("app:shop:elsewhere")).to.equal("blue");
    } finally {
      apps.disconnect();
    }
    expect(await sluice.serverLog()).to.match(/"keys":9,.*moved the apps' keys/);
  });

  it("moves nothing a second time, and goes on with the same processes", async () => {
    const before = await sluice.read<Status>("status");
    const own = await sluice.redis();
    await own.redis.set("app:shop:text", "of an admin, by mistake");
    await sluice.kill();
    await sluice.up();
    const after = await sluice.read<Status>("status");
    expect(after.redis).to.deep.equal(before.redis);
    expect(after.appsRedis).to.deep.equal(before.appsRedis);
    expect(await own.redis.get("app:shop:text")).not.to.equal(null);
    own.close();
    expect((await sluice.serverLog()).match(/moved the apps' keys/g)).to.have.length(1);
  });

  it("gives apps an address that instances knew before", async () => {
    await (await sluice.clone("shop", tinyApp())).mustPush();
    const { REDIS_URL } = JSON.parse((await sluice.get("shop", "/env")).body) as { REDIS_URL: string };
    expect(new URL(REDIS_URL).port).to.equal(String(port));
    const app = new Redis(fromHere(REDIS_URL));
    expect(await app.get("app:shop:text")).to.equal("red");
    app.disconnect();
  });

  it("takes other limits at the next start", async () => {
    const limit = async (): Promise<string | undefined> => {
      const apps = new Redis({
        path: join(sluice.home, "apps-redis/redis.sock"),
        password: (await readFile(join(sluice.home, "apps-redis/password"), "utf8")).trim(),
      });
      const [, value] = await apps.config("GET", "maxmemory");
      expect(await apps.get("app:shop:text")).to.equal("red");
      apps.disconnect();
      return value;
    };
    const { redis } = await sluice.read<Status>("status");
    await sluice.kill();
    await writeFile(
      join(sluice.home, "sluice.yml"),
      "redis: { appsMemoryMegabytes: 64 }\nmonitor: { rules: [] }\n",
    );
    await sluice.up();
    expect(await limit()).to.equal(String(64 << 20));
    expect((await sluice.read<Status>("status")).redis).to.deep.equal(redis);
  });

  it("stops both with the rest, and finds the data again", async () => {
    const { appsRedis } = await sluice.read<Status>("status");
    expect((await sluice.cli("down")).status).to.equal(0);
    expect(() => process.kill(appsRedis.pid, 0)).to.throw();
    await sluice.up();
    expect((await sluice.read<Status>("status")).appsRedis.state).to.equal("up");
    expect((await sluice.cli("doctor")).stdout).to.match(/^ok {3}apps-redis: process \d+/m);
    const { stdout } = await sluice.cli("status");
    expect(stdout).to.match(/^ {9}for the apps: up, process \d+/m);
  });
});
