import { expect } from "chai";
import { Redis } from "ioredis";
import { connect as connectSocket } from "node:net";
import { eventually } from "../../support/eventually.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { throughout } from "../../support/throughout.js";
import { tinyApp } from "../../support/git/tiny-app.js";

interface Status {
  readonly redis: { readonly state: string; readonly pid: number };
  readonly appsRedis?: { readonly state: string; readonly pid: number };
}

const ENDLESS = "while true do end";
const ENDLESS_AFTER_A_WRITE = `redis.call('SET', KEYS[1], 'x') ${ENDLESS}`;

/** An app's code has its REDIS_URL and does with it what it can. */
describe("an app that attacks others through its Redis", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let url: string;
  let app: Redis;
  let other: Redis;

  before(async () => {
    sluice = await TestSluice.start({ settings: { redis: { appsMemoryMegabytes: 64 } } });
    for (const name of ["mean", "victim"]) await (await sluice.clone(name, tinyApp())).mustPush();
    url = await urlOf("mean");
    app = connect(url);
    other = connect(await urlOf("victim"));
  });
  after(async () => {
    app.disconnect();
    other.disconnect();
    await sluice.dispose();
  });

  const urlOf = async (name: string): Promise<string> =>
    fromHere((JSON.parse((await sluice.get(name, "/env")).body) as { REDIS_URL: string }).REDIS_URL);
  const status = async (): Promise<Status> => sluice.read<Status>("status");
  const refusal = async (...command: [string, ...string[]]): Promise<string> =>
    app.call(...command).then(
      (answer) => `allowed: ${JSON.stringify(answer)}`,
      (error: unknown) => String(error),
    );

  /** Sluice answers all the while. */
  async function isServed(ended: Promise<unknown>): Promise<void> {
    const script = { isOver: false };
    const over = ended.then(() => (script.isOver = true));
    await throughout(
      () => script.isOver,
      async () => {
        expect((await sluice.control("/healthz")).status).to.equal(200);
      },
      20_000,
    );
    await over;
  }

  it("sees no key of another, nor of Sluice, by client tracking", async () => {
    expect(await refusal("CLIENT", "TRACKING", "ON", "BCAST", "REDIRECT", "1")).to.include("NOPERM");
  });

  for (const command of [
    ["KEYS", "*"],
    ["SCAN", "0"],
    ["RANDOMKEY"],
    ["DBSIZE"],
    ["CLIENT", "LIST"],
    ["CLIENT", "KILL", "TYPE", "normal"],
    ["CLIENT", "PAUSE", "10000"],
    ["CLIENT", "NO-EVICT", "on"],
    ["CLIENT", "UNBLOCK", "1"],
    ["ACL", "USERS"],
    ["ACL", "WHOAMI"],
    ["CONFIG", "GET", "*"],
    ["DEBUG", "SLEEP", "5"],
    ["MONITOR"],
    ["SHUTDOWN"],
    ["FLUSHALL"],
    ["SWAPDB", "0", "1"],
    ["FUNCTION", "LIST"],
    ["SCRIPT", "FLUSH"],
    ["SCRIPT", "KILL"],
    ["MEMORY", "STATS"],
    ["MEMORY", "PURGE"],
    ["MEMORY", "USAGE", "app:victim:color"],
    ["OBJECT", "ENCODING", "app:victim:color"],
    ["SORT", "app:mean:list", "BY", "app:victim:*"],
    ["SORT_RO", "app:mean:list", "GET", "app:victim:*"],
    ["COPY", "app:victim:color", "app:mean:stolen"],
    ["PUBSUB", "CHANNELS"],
    ["SUBSCRIBE", "app:victim:news"],
    ["PSUBSCRIBE", "*"],
    ["PUBLISH", "sluice:routes-changed", "1"],
    ["SSUBSCRIBE", "app:victim:news"],
    ["GET", "sluice:alert"],
    ["HSET", "sluice:flags:mean", "a", "true"],
    ["HGETALL", "sluice:flags:victim"],
    ["EVAL", "return redis.call('GET', 'app:victim:color')", "0"],
    ["EVAL", "return redis.call('KEYS', '*')", "0"],
  ] satisfies [string, ...string[]][])
    it(`is refused ${command.slice(0, 2).join(" ")}${command[2] === undefined ? "" : " …"}`, async () => {
      expect(await refusal(...(command as [string, ...string[]]))).to.match(
        /NOPERM|not allowed|can't (run|access)/,
      );
    });

  it("still has what apps need: scripts, channels of its own, blocking reads, transactions, a name", async () => {
    expect(await app.eval("return redis.call('INCR', KEYS[1])", 1, "app:mean:n")).to.equal(1);
    expect(await app.multi().set("app:mean:a", "1").get("app:mean:a").exec()).to.deep.equal([
      [null, "OK"],
      [null, "1"],
    ]);
    expect(await app.client("SETNAME", "worker")).to.equal("OK");
    const [subscriber, reader] = [connect(url), connect(url)];
    try {
      const heard: string[] = [];
      subscriber.on("message", (_channel, message) => heard.push(message));
      await subscriber.subscribe("app:mean:news", "sluice:flags:mean");
      const popped = reader.blpop("app:mean:jobs", 10);
      await app.publish("app:mean:news", "hello");
      await app.rpush("app:mean:jobs", "job");
      expect(await popped).to.deep.equal(["app:mean:jobs", "job"]);
      await eventually("the message is there", () => heard.includes("hello"));
    } finally {
      subscriber.disconnect();
      reader.disconnect();
    }
  });

  it("holds up neither Sluice nor, for long, another app by an endless script", async () => {
    const { redis } = await status();
    const ended = refusal("EVAL", ENDLESS, "0");
    await isServed(ended);
    expect(await ended).to.match(/Script killed by user/);
    expect(await other.set("app:victim:color", "red")).to.equal("OK");
    expect((await status()).redis).to.deep.equal(redis);
    await eventually("the log names the app", async () =>
      /"app":"mean".*script of an app/.test(await sluice.serverLog()),
    );
  });

  it("nor by one that has written and can no longer be killed", async () => {
    const { redis, appsRedis } = await status();
    const once = new Redis(url, { retryStrategy: () => null });
    once.on("error", () => undefined);
    const ended = once.eval(ENDLESS_AFTER_A_WRITE, 1, "app:mean:written").catch(() => undefined);
    await isServed(ended);
    once.disconnect();
    await eventually(
      "the other app is served again",
      async () => (await other.get("app:victim:color").catch(() => "")) === "red",
      15_000,
    );
    const now = await status();
    expect(now.redis).to.deep.equal(redis);
    expect(now.appsRedis?.pid).not.to.equal(appsRedis?.pid);
    expect(await app.get("app:mean:written")).to.equal(null);
  });

  it("nor by a transaction that takes very long", async function () {
    this.timeout(180_000);
    await app.eval("for i = 1, 400000 do redis.call('RPUSH', KEYS[1], i) end", 1, "app:mean:long");
    const { appsRedis } = await status();
    const once = new Redis(url, { retryStrategy: () => null });
    once.on("error", () => undefined);
    const bomb = once.multi();
    for (let index = 0; index < 40_000; index++) bomb.lrem("app:mean:long", 1, "none");
    const ended = bomb.exec().catch((error: unknown) => String(error));
    await eventually(
      "it is restarted",
      async () => {
        const now = await status();
        return now.appsRedis?.state === "up" && now.appsRedis.pid !== appsRedis?.pid;
      },
      150_000,
    );
    await ended;
    once.disconnect();
    expect(await other.get("app:victim:color")).to.equal("red");
  });

  it("cannot take memory without limit, nor flags from the others by that", async () => {
    const megabyte = "x".repeat(1 << 20);
    let refused = "";
    for (let index = 0; index < 200 && refused === ""; index++)
      refused = await app.set(`app:mean:fat:${index}`, megabyte).then(
        () => "",
        (error: unknown) => String(error),
      );
    expect(refused).to.include("OOM");
    expect((await sluice.cli("flags", "victim", "colour", "green")).status).to.equal(0);
    await eventually(
      "the flag is there",
      async () => (await other.hget("sluice:flags:victim", "colour")) === "green",
    );
    await (await sluice.clone("later", tinyApp())).mustPush();
    const keys = Array.from({ length: 200 }, (_, index) => `app:mean:fat:${index}`);
    await app.del(...keys);
  });

  it("nor by scripts that are all different", async () => {
    const filler = "x".repeat(1 << 20);
    for (let index = 0; index < 12; index++) await app.eval(`return ${index} -- ${filler}`, 0);
    await eventually("they are forgotten", async () =>
      (await sluice.serverLog()).includes("removed the scripts that the apps' Redis had cached"),
    );
  });

  it("nor by a script that takes all there is", async () => {
    const once = new Redis(url, { retryStrategy: () => null });
    once.on("error", () => undefined);
    const outcome = await once
      .eval("local t = {} for i = 1, 1e9 do t[i] = string.rep('x', 10000) .. i end", 0)
      .catch((error: unknown) => String(error));
    expect(outcome).to.match(/not enough memory|Script killed|closed/);
    once.disconnect();
    await eventually("the other is served", async () => {
      await other.set("app:victim:a", "1");
      return true;
    });
  });

  it("cannot keep the others out by taking all connections", async () => {
    await other.set("app:victim:color", "red");
    const { hostname, port, username, password } = new URL(url);
    const open = Array.from({ length: 800 }, (_, index) => {
      const socket = connectSocket({ host: hostname, port: Number(port) });
      socket.on("error", () => undefined);
      socket.resume();
      // Some never say who they are.
      if (index % 4 !== 0) socket.write(`AUTH ${username} ${password}\r\n`);
      return socket;
    });
    try {
      await eventually("most are closed", () => open.filter((socket) => socket.closed).length >= 280, 20_000);
      await eventually("the log says so", async () =>
        (await sluice.serverLog()).includes("closed connections of apps that had too many"),
      );
      expect(await other.get("app:victim:color")).to.equal("red");
    } finally {
      for (const socket of open) socket.destroy();
    }
  });

  it("is cut off when it does not read the answers that it asks for", async () => {
    await app.set("app:mean:big", "x".repeat(1 << 20));
    const { hostname, port, username, password } = new URL(url);
    const greedy = connectSocket({ host: hostname, port: Number(port) });
    let isCut = false;
    greedy.on("error", () => (isCut = true));
    greedy.pause();
    greedy.write(`AUTH ${username} ${password}\r\n${"GET app:mean:big\r\n".repeat(300)}`);
    await eventually("it is cut off", () => {
      greedy.write("PING\r\n");
      return isCut;
    });
    expect(await other.get("app:victim:color")).to.equal("red");
  });
});

function connect(url: string): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
    autoResendUnfulfilledCommands: false,
  });
  redis.on("error", () => undefined);
  return redis;
}
