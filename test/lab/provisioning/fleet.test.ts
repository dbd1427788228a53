import { expect } from "chai";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { HTTP_PORT, LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";

/** Answers what it is, and whether it reaches what its environment names, or an address. */
const SERVER = `
const { DYNO, PORT, REDIS_URL, SLUICE_FLAGS_URL } = process.env;
const places = { "/redis": REDIS_URL, "/flags": SLUICE_FLAGS_URL };
require("http").createServer((request, answer) => {
  if (request.url === "/") return answer.end(DYNO);
  const { hostname, port } = new URL(places[request.url] ?? "tcp:/" + request.url);
  const socket = require("net").connect(Number(port), hostname);
  const say = (text) => { socket.destroy(); answer.end(DYNO + " " + text); };
  socket.setTimeout(2000, () => say("no")).on("connect", () => say("yes")).on("error", () => say("no"));
}).listen(PORT);
`;

describe("a fleet that grows from one machine", function () {
  this.timeout(900_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let cloud: FakeDigitalOcean;
  let fleet: LabFleet;
  let machine: LabHost;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this, DROPLET_PACKAGES);
    [machine] = (await bare.lab.boot(1)) as [LabHost];
    cloud = await FakeDigitalOcean.start(new LabMachines(bare.lab), { address: machine.gateway });
    const api = `digitalocean: { url: "${cloud.url}", token: ${cloud.token} }`;
    const group = "{ region: fra1 }";
    fleet = await LabFleet.start(servers.lab, {
      hosts: 1,
      fleet: `${api}, production: ${group}, staging: ${group}, proxy: ${group}`,
    });
    await fleet.giveLabKey();
    await fleet.push("shop", { "server.js": SERVER, Procfile: "web: node server.js\n" });
  });
  after(async () => {
    await cloud.close();
    await servers.close();
    await bare.close();
  });

  const hosts = async (): Promise<Map<string, string>> => {
    const text = await fleet.sluice("hosts --json");
    const found = JSON.parse(text) as { host: string; phase: string }[];
    return new Map(found.map(({ host, phase }) => [host, phase]));
  };
  /** What an instance at a host calls itself. */
  const dynoAt = async (host: string): Promise<string> => {
    const [service = ""] = (await fleet.placesOf("shop")).get(host) ?? [];
    return /web\.\d+/.exec(service.replaceAll("-", "."))?.[0] ?? expect.fail(`${service} has no index`);
  };
  const timed = async (command: string): Promise<string> => {
    const began = performance.now();
    const said = await fleet.sluice(command);
    process.stdout.write(`      ${command}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    return said;
  };

  it("takes in a machine that there is, by its address", async () => {
    const said = await timed(`provision production ${machine.address} --identity ${LAB_KEY} --name web-1`);
    expect(said).to.include("web-1 is ready");
    expect((await hosts()).get("web-1")).to.equal("ready");
    await fleet.sluice("scale shop web=2");
    await eventually("an instance runs there", async () =>
      [...(await fleet.placesOf("shop")).keys()].includes("web-1"),
    );
    expect((await fleet.ask("shop")).status).to.equal(200);
  });

  it("lets an instance there reach what Sluice offers it, and nothing else of the hosts", async () => {
    const there = await dynoAt("web-1");
    const reaches = async (path: string): Promise<string> => {
      const say = await eventually(`${there} answers`, async () => {
        const { body } = await fleet.ask("shop", path);
        return body.startsWith(`${there} `) && body;
      });
      return say.slice(there.length + 1);
    };
    for (const path of ["/redis", "/flags"]) expect(await reaches(path), path).to.equal("yes");
    for (const path of [
      `/${fleet.server.address}:22`,
      `/${fleet.server.address}:2377`,
      "/169.254.169.254:80",
    ])
      expect(await reaches(path), path).to.equal("no");
  });

  it("changes nothing the second time", async () => {
    const said = await timed("provision --host web-1");
    expect(said).to.match(/ ok, 0 changed/);
  });

  it("makes a droplet for a role, and a proxy that serves the apps", async () => {
    const said = await timed("provision proxy");
    expect(said).to.include("proxy-1 is ready");
    const address = /proxy-1 \(root@([\d.]+)\)/.exec(said)?.[1] ?? "";
    const answer = await ask(`${address}:${HTTP_PORT}`, { headers: { host: "shop.localhost" } });
    expect(answer.status).to.equal(200);
    expect(cloud.bill.monthlyUsd).to.be.greaterThan(0);
  });

  it("makes a droplet that runs instances", async () => {
    const said = await timed("provision production");
    expect(said).to.include("production-1 is ready");
    await fleet.sluice("scale shop web=3");
    await eventually("an instance runs there", async () =>
      [...(await fleet.placesOf("shop")).keys()].includes("production-1"),
    );
  });

  it("gives hosts back: their instances move, the droplets are destroyed", async () => {
    for (const host of ["production-1", "proxy-1", "web-1"]) {
      const said = await timed(`hosts remove ${host}`);
      expect(said).to.include(`${host} is removed`);
      expect((await fleet.ask("shop")).status).to.equal(200);
    }
    expect(cloud.bill.monthlyUsd).to.equal(0);
    expect([...(await hosts()).keys()]).to.have.length(1);
    expect((await fleet.placesOf("shop")).size).to.equal(1);
  });
});
