import { expect } from "chai";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { HTTP_PORT, LabFleet } from "../swarm/lab-fleet.js";

const MOVE_MS = 90_000;

describe("two droplets whose proxies share a reserved IP", function () {
  this.timeout(300_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let cloud: FakeDigitalOcean;
  let machines: LabMachines;
  let fleet: LabFleet;
  let address: string;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this, DROPLET_PACKAGES);
    machines = new LabMachines(bare.lab);
    cloud = await FakeDigitalOcean.start(machines, { address: (await bare.lab.addSegment()).address(1) });
    address = await cloud.addReservedIp("fra1");
    const api = `digitalocean: { url: "${cloud.url}", token: ${cloud.token} }`;
    fleet = await LabFleet.start(servers.lab, {
      hosts: 1,
      fleet: `${api}, proxy: { region: fra1 }, reservedAddress: ${address}`,
    });
    await fleet.push("shop", tinyApp());
  });
  after(async () => {
    await cloud.close();
    await servers.close();
    await bare.close();
  });

  const isAt = async (host: string): Promise<void> => {
    let said = "";
    await eventually(
      () => `it is at ${host}: ${said}`,
      async () => {
        said = await fleet.sluice("hosts");
        return said.includes(`The address that the proxies share is at ${host}.`) && leads();
      },
      MOVE_MS,
      500,
    );
  };
  const leads = async (): Promise<boolean> => {
    const question = { headers: { host: "shop.localhost" }, signal: AbortSignal.timeout(1000) };
    const answer = await ask(`${address}:${HTTP_PORT}`, question).catch(() => undefined);
    return answer?.status === 200;
  };

  it("get it one after the other: when one is there, when it has lost its power, when it is removed", async () => {
    for (const name of ["proxy-1", "proxy-2"])
      expect(await fleet.sluice("provision proxy")).to.include(`${name} is ready`);
    await isAt("proxy-1");
    const found = JSON.parse(await fleet.sluice("hosts --json")) as { host: string; address: string }[];
    const lost = machines.hostAt(found.find(({ host }) => host === "proxy-1")?.address ?? "");
    const began = performance.now();
    await lost.powerOff();
    await isAt("proxy-2");
    process.stdout.write(`      moved after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    expect(await fleet.sluice("events -n 20")).to.include(`it has ${address} now: proxy-1 was silent`);
    await lost.powerOn();
    await eventually(
      "it is back",
      async () => !(await fleet.sluice("status")).includes("has not reported since"),
      MOVE_MS,
    );
    await isAt("proxy-2");
    const before = performance.now();
    await fleet.sluice("hosts remove proxy-2");
    await isAt("proxy-1");
    process.stdout.write(`      removed after ${((performance.now() - before) / 1000).toFixed(1)} s\n`);
  });
});
