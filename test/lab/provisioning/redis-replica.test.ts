import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { printLoad } from "../swarm/fleet-app.js";
import { HTTP_PORT, LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";

/** Counts in its Redis, by Redis' inline commands. */
const SERVER = `
const { username, password, hostname, port } = new URL(process.env.REDIS_URL);
require("http").createServer((request, answer) => {
  if (request.url !== "/count") return answer.end("ok");
  const socket = require("net").connect(Number(port), hostname);
  let said = "";
  const end = () => { socket.destroy(); answer.end(said); };
  socket.setTimeout(2000, end).on("error", end).on("close", end).on("data", (data) => {
    said += data;
    if (/^:\\d+\\r\\n$/m.test(said) || said.includes("-")) end();
  });
  socket.write("AUTH " + username + " " + password + "\\r\\nINCR app:shop:count\\r\\n");
}).listen(process.env.PORT);
`;
const HOSTS = { redis: "redis-1", proxy: "edge-1", production: "web-1" } as const;
const RECORDS =
  "redis-cli -s /var/lib/sluice/redis/redis.sock --no-auth-warning -a $(cat /var/lib/sluice/redis/password)";
const FOLLOW_MS = 60_000;

describe("a replica of Redis on a host of its own", function () {
  this.timeout(600_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let fleet: LabFleet;
  let hosts: Map<string, LabHost>;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this);
    fleet = await LabFleet.start(servers.lab, { hosts: 1, serverRunsInstances: false });
    const booted = await bare.lab.boot(Object.keys(HOSTS).length);
    hosts = new Map(Object.values(HOSTS).map((name, index) => [name, booted[index] as LabHost]));
    await fleet.giveLabKey();
  });
  after(async () => {
    await servers.close();
    await bare.close();
  });

  const host = (name: string): LabHost => hosts.get(name) ?? expect.fail(`there is no ${name}`);
  const ask = async (path: string): Promise<string> =>
    (await fleet.ask("shop", path, host(HOSTS.proxy))).body;
  const count = async (): Promise<number> => Number(/:(\d+)/.exec(await ask("/count"))?.[1] ?? NaN);
  const record = async (name: string, command: string): Promise<string> =>
    host(name).run(`${RECORDS} ${command}`);
  const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

  it("is one command, and in sync when that ends", async () => {
    for (const [role, name] of Object.entries(HOSTS)) {
      const began = performance.now();
      await fleet.sluice(`provision ${role} ${host(name).address} --identity ${LAB_KEY} --name ${name}`);
      process.stdout.write(`      ${role}: ${seconds(began)}\n`);
    }
    expect(await fleet.sluice("status")).to.include("redis-1 has a replica, in sync");
    expect(await host(HOSTS.redis).run("sluice redis")).to.include("in sync");
    expect(await fleet.sluice(`provision --host ${HOSTS.redis}`)).to.include(" 0 changed");
    await fleet.push("shop", { "server.js": SERVER, Procfile: "web: node server.js\n" });
    expect(await count()).to.equal(1);
  });

  it("is not made the primary while the server's answers", async () => {
    const refused = await host(HOSTS.redis).run("sluice redis promote 2>&1 || true");
    expect(refused).to.include("answers: it is the primary");
  });

  it("goes on for the server's when that machine is lost; nothing is lost that was answered", async () => {
    const load = startLoad(HTTP_PORT, "shop", "/", 50, host(HOSTS.proxy).address);
    let answered = 0;
    const changes = (async () => {
      for (let number = 1; ; number++) {
        await fleet.sluice(`flags shop number ${number}`);
        answered = number;
      }
    })().catch(() => undefined);
    await eventually("flags are changed", async () => Promise.resolve(answered >= 5), FOLLOW_MS);
    const counted = await count();
    await fleet.server.powerOff();
    await changes;
    const lost = performance.now();
    const said = await host(HOSTS.redis).run("sluice redis promote");
    expect(said).to.include("Redis is the primary here now");
    process.stdout.write(`      promoted after ${seconds(lost)}\n`);
    expect(Number(await record(HOSTS.redis, "HGET sluice:flags:shop number"))).to.be.at.least(answered);
    await eventually("the app counts on", async () => (await count()) > counted, FOLLOW_MS);
    process.stdout.write(`      the app has its Redis after ${seconds(lost)}\n`);
    const seen = async (): Promise<string> => record(HOSTS.redis, "HVALS sluice:proxies-seen");
    const before = await seen();
    await eventually("the proxy reports there", async () => (await seen()) !== before, FOLLOW_MS);
    process.stdout.write(`      the proxy follows it after ${seconds(lost)}\n`);
    await record(HOSTS.redis, "SET sluice:alert yes");
    const report = await load.stop();
    printLoad(report);
    expect(report.failures).to.deep.equal([]);
  });

  it("gives all back when the server returns, and is a replica again", async () => {
    const counted = await count();
    const load = startLoad(HTTP_PORT, "shop", "/", 50, host(HOSTS.proxy).address);
    const began = performance.now();
    await fleet.server.powerOn();
    await fleet.up();
    process.stdout.write(`      the server is up after ${seconds(began)}\n`);
    expect(await fleet.server.run(`${RECORDS} GET sluice:alert`)).to.equal("yes");
    await eventually(
      "the replica is in sync",
      async () => (await host(HOSTS.redis).run("sluice redis")).includes("in sync"),
      FOLLOW_MS,
    );
    await eventually("the app counts on", async () => (await count()) > counted, FOLLOW_MS);
    await eventually(
      "the hosts are back",
      async () => !/silent|down/.test(await fleet.sluice("hosts")),
      FOLLOW_MS,
    );
    await fleet.push("shop", { "server.js": `${SERVER}// 2`, Procfile: "web: node server.js\n" });
    process.stdout.write(`      all is as before after ${seconds(began)}\n`);
    const report = await load.stop();
    printLoad(report);
    expect(report.failures).to.deep.equal([]);
  });

  it("is gone when its host is removed", async () => {
    await fleet.sluice(`hosts remove ${HOSTS.redis}`);
    expect(await fleet.sluice("status")).not.to.include(HOSTS.redis);
    expect(await host(HOSTS.redis).run("pgrep -a redis-server || echo none")).to.equal("none");
    expect(await count()).to.be.above(0);
  });
});
