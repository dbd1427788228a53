import { expect } from "chai";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { HTTP_PORT, LabFleet } from "../swarm/lab-fleet.js";

const REPLACE_SECONDS = 30;
const REPLACED_MS = 180_000;

describe("a droplet whose proxy is silent", function () {
  this.timeout(400_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let cloud: FakeDigitalOcean;
  let machines: LabMachines;
  let fleet: LabFleet;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this, DROPLET_PACKAGES);
    machines = new LabMachines(bare.lab);
    cloud = await FakeDigitalOcean.start(machines, { address: (await bare.lab.addSegment()).address(1) });
    const api = `digitalocean: { url: "${cloud.url}", token: ${cloud.token} }`;
    fleet = await LabFleet.start(servers.lab, {
      hosts: 1,
      fleet: `${api}, proxy: { region: fra1 }, replaceSeconds: ${REPLACE_SECONDS}`,
    });
    await fleet.push("shop", tinyApp());
    await fleet.sluice("provision proxy");
  });
  after(async () => {
    await cloud.close();
    await servers.close();
    await bare.close();
  });

  interface Shown {
    readonly host: string;
    readonly phase: string;
    readonly address: string;
  }
  const proxies = async (): Promise<Shown[]> => {
    const all = JSON.parse(await fleet.sluice("hosts --json")) as Shown[];
    return all.filter(({ host }) => host.startsWith("proxy-"));
  };
  const machineOf = async (name: string): Promise<LabHost> => {
    const found = (await proxies()).find(({ host }) => host === name);
    return machines.hostAt(found?.address ?? "");
  };

  it("is not replaced while it answers over SSH, and the log says what is broken", async () => {
    const host = await machineOf("proxy-1");
    await host.run("systemctl stop sluice");
    const said = async (): Promise<string> => fleet.server.run("cat /var/lib/sluice/server.log");
    await eventually(
      "the log says so",
      async () => (await said()).includes("is silent but answers over SSH"),
      (REPLACE_SECONDS + 40) * 1000,
      1000,
    );
    expect((await proxies()).map(({ host: name, phase }) => [name, phase])).to.deep.equal([
      ["proxy-1", "ready"],
    ]);
    await host.run("systemctl start sluice");
    expect(cloud.bill.monthlyUsd).to.equal(12);
  });

  it("is replaced when its power has failed, and destroyed when the other one serves", async () => {
    const host = await machineOf("proxy-1");
    await eventually(
      "it reports again",
      async () => !(await fleet.sluice("status")).includes("not reported"),
    );
    const began = performance.now();
    await host.powerOff();
    const told = (what: string): boolean =>
      process.stdout.write(`      ${what} after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
    const both = await eventually(
      "the new one is ready",
      async () => {
        const now = await proxies();
        return now.some(({ host: name, phase }) => name === "proxy-2" && phase === "ready") && now;
      },
      REPLACED_MS,
      500,
    );
    told("the new one is ready");
    expect(both.map(({ host: name }) => name)).to.include("proxy-1");
    const address = both.find(({ host: name }) => name === "proxy-2")?.address ?? "";
    const answer = await ask(`${address}:${HTTP_PORT}`, { headers: { host: "shop.localhost" } });
    expect(answer.status).to.equal(200);
    await eventually("the lost one is gone", async () => (await proxies()).length === 1, REPLACED_MS, 500);
    told("the lost one is destroyed");
    expect(cloud.bill.monthlyUsd).to.equal(12);
    expect(await fleet.sluice("events -n 20")).to.include("was lost");
  });
});
