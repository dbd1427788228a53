import { expect } from "chai";
import { execa } from "execa";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabFleet } from "../swarm/lab-fleet.js";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";

const HOME = "/var/lib/sluice";
/** Each prints a secret that no snapshot may have, or a line of one. */
const SECRETS = [
  `cat ${HOME}/redis/password`,
  `sed -n 3p ${HOME}/ssh_key`,
  `cat ${HOME}/token`,
  "docker swarm join-token --quiet worker",
  "docker swarm join-token --quiet manager",
];

describe("a snapshot of a droplet", function () {
  this.timeout(600_000);
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
    fleet = await LabFleet.start(servers.lab, { hosts: 1, fleet: `${api}, production: { region: fra1 }` });
  });
  after(async () => {
    await cloud.close();
    await servers.close();
    await bare.close();
  });

  const timed = async (command: string): Promise<{ readonly said: string; readonly seconds: number }> => {
    const began = performance.now();
    const said = await fleet.sluice(command);
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`      ${command}: ${seconds.toFixed(1)} s\n`);
    return { said, seconds };
  };
  const hostAt = async (name: string): Promise<LabHost> => {
    const found = JSON.parse(await fleet.sluice("hosts --json")) as { host: string; address: string }[];
    return machines.hostAt(found.find(({ host }) => host === name)?.address ?? "");
  };
  const identityOf = async (name: string): Promise<string[]> => {
    const host = await hostAt(name);
    const said = await host.run(
      "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; docker info --format '{{.ID}}'; hostname",
    );
    return said.split("\n");
  };
  const filesWith = async (tree: string, text: string, ...options: string[]): Promise<string[]> => {
    const argv = ["-rlF", ...options, "--", text, tree];
    return (await execa("grep", argv, { reject: false })).stdout.split("\n").filter(Boolean);
  };
  let plainSeconds: number;
  let first: string[];

  it("is taken of a droplet of its own, which is paid for no longer than that takes", async () => {
    plainSeconds = (await timed("provision production")).seconds;
    first = await identityOf("production-1");
    const { said } = await timed("provision snapshot");
    expect(said).to.match(/Taking the snapshot sluice-\w+-production-fra1-/);
    expect(said).to.include("The snapshot is taken").and.include("2.4 GB, 0.14 US dollars a month");
    expect(cloud.bill.monthlyUsd).to.equal(12);
    expect(await fleet.sluice("hosts")).to.include("snapshot for production in fra1: sluice-");
    expect((await timed("provision snapshot")).said).to.include("is there already");
    expect(machines.disks).to.have.length(1);
  });

  it("has no secret of the server, and nothing by which one machine is known from another", async () => {
    const [tree = ""] = machines.disks;
    for (const command of SECRETS) {
      const secret = (await fleet.server.run(command)).trim();
      expect(secret, command).to.have.length.above(20);
      expect(await filesWith(tree, secret), command).to.deep.equal([]);
    }
    expect(await filesWith(tree, cloud.token)).to.deep.equal([]);
    expect(await filesWith(tree, "BEGIN OPENSSH PRIVATE KEY", "--exclude-dir=node_modules")).to.deep.equal(
      [],
    );
    const found = async (...expression: string[]): Promise<string[]> =>
      (await execa("find", [tree, ...expression, "-printf", "%P\n"])).stdout.split("\n").filter(Boolean);
    expect(await found("-path", "*/etc/ssh/ssh_host_*", "-type", "f")).to.deep.equal([]);
    expect(await found("-name", "sluice.service", "-type", "f")).to.deep.equal([]);
    expect(await found("-path", "*/var/lib/sluice/*")).to.deep.equal([]);
    expect(await found("-path", "*/etc/machine-id", "-size", "+0")).to.deep.equal([]);
    expect(await found("-path", "*/var/lib/cloud/*", "-type", "f")).to.deep.equal([]);
    const keys = (await execa("cat", [`${tree}/root/.ssh/authorized_keys`])).stdout;
    expect(keys).to.equal(await fleet.sluice("provision --public-key"));
  });

  it("makes the next droplet ready sooner, which is a machine of its own", async () => {
    const { said, seconds } = await timed("provision production");
    expect(said)
      .to.match(/in fra1, sluice-\w+-production-fra1-/)
      .and.include("production-2 is ready");
    process.stdout.write(
      `      ${plainSeconds.toFixed(1)} s without the snapshot, ${seconds.toFixed(1)} s with it\n`,
    );
    expect(seconds).to.be.lessThan(plainSeconds);
    const second = await identityOf("production-2");
    expect(second).to.have.length(first.length);
    for (const [index, value] of second.entries()) expect(value).not.to.equal(first[index]);
    for (const host of ["production-1", "production-2"]) await fleet.sluice(`hosts remove ${host} --force`);
    expect(cloud.bill.monthlyUsd).to.equal(0);
  });
});
