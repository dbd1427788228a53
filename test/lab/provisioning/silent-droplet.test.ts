import { expect } from "chai";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";
import { LabTest } from "../lab-test.js";
import { eventually } from "../../support/eventually.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabFleet } from "../swarm/lab-fleet.js";

const DROPLET_USD = 12;

describe("a droplet that boots and has no network", function () {
  this.timeout(600_000);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let cloud: FakeDigitalOcean;
  let fleet: LabFleet;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this, DROPLET_PACKAGES);
    const address = (await bare.lab.addSegment()).address(1);
    cloud = await FakeDigitalOcean.start(new LabMachines(bare.lab), { address });
    const api = `digitalocean: { url: "${cloud.url}", token: ${cloud.token} }`;
    fleet = await LabFleet.start(servers.lab, { hosts: 1, fleet: `${api}, production: { region: fra1 }` });
  });
  after(async () => {
    await cloud.close();
    await servers.close();
    await bare.close();
  });

  const phases = async (): Promise<Map<string, string>> => {
    const found = JSON.parse(await fleet.sluice("hosts --json")) as { host: string; phase: string }[];
    return new Map(found.map(({ host, phase }) => [host, phase]));
  };

  it("is destroyed, and the command says why; with --keep-failed it stays until it is removed", async () => {
    for (let number = 0; number < 2; number++) cloud.spoilNextDroplet("silent");
    const began = performance.now();
    const provision = async (more: string): Promise<string> => {
      const said = await fleet.sluice(`provision production ${more}`).catch(String);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      process.stdout.write(`      provision production ${more}: ended after ${seconds} s\n`);
      return said;
    };
    const first = provision("");
    await eventually("it is under way", async () => (await phases()).has("production-1"));
    const [gone, kept] = await Promise.all([first, provision("--name kept-1 --keep-failed")]);
    expect(gone, gone).to.include("production-1 does not answer over SSH");
    expect(gone, gone)
      .to.include("the droplet is destroyed")
      .and.include("production-1 is not as it should be");
    expect(kept).to.include("kept-1 does not answer over SSH").and.not.include("is destroyed");
    expect([...(await phases())].filter(([, phase]) => phase !== "ready")).to.deep.equal([
      ["kept-1", "failed"],
    ]);
    expect(cloud.bill.monthlyUsd, "what was kept is paid for").to.equal(DROPLET_USD);
    expect(await fleet.sluice("hosts")).to.include("1 droplet, 12 US dollars a month");
    await fleet.sluice("hosts remove kept-1 --force");
    expect((await phases()).has("kept-1")).to.equal(false);
    expect(cloud.bill.monthlyUsd).to.equal(0);
  });
});
