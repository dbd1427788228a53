import { expect } from "chai";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import type { FirewallPlan } from "../../../../provisioning/digitalocean/network/firewalls.js";
import { DigitalOceanTrial, ORDER } from "../../../support/fakes/digitalocean-trial.js";

const FIREWALL: FirewallPlan = {
  name: "sluice-production",
  tags: ["sluice-production"],
  inbound: [
    { protocol: "tcp", ports: "22", addresses: ["0.0.0.0/0", "::/0"] },
    { protocol: "tcp", ports: "all", tags: ["sluice-server", "sluice-proxy"] },
    { protocol: "icmp", addresses: ["10.0.0.0/8"] },
  ],
};

describe("a DigitalOcean account", () => {
  let trial: DigitalOceanTrial;
  beforeEach(async () => (trial = await DigitalOceanTrial.start()));
  afterEach(async () => trial.close());

  it("has a droplet limit and a status", async () => {
    expect(await trial.client().account.read(trial.signal)).to.deep.equal({
      ...{ dropletLimit: 25, status: "active", statusMessage: "" },
    });
  });

  it("has sizes with prices, and regions", async () => {
    const { sizes, regions } = trial.client();
    expect((await sizes.list(trial.signal)).find(({ slug }) => slug === "s-2vcpu-4gb")).to.deep.include({
      ...{ monthlyUsd: 24, memoryMb: 4096, cpus: 2, diskGb: 80, isAvailable: true },
      regions: ["nyc3", "ams3", "fra1"],
    });
    expect((await regions.list(trial.signal)).map(({ slug }) => slug)).to.include("fra1");
  });

  it("gets an SSH key only once, whatever its name and comment", async () => {
    const { sshKeys } = trial.client();
    const { publicKey } = newSshKeyPair("sluice");
    trial.server.disrupt({ answer: "lost", operation: "POST /v2/account/keys" });
    const key = await sshKeys.ensure({ name: "sluice", publicKey }, trial.signal);
    const other = `${publicKey.split(" ").slice(0, 2).join(" ")} somebody@laptop\n`;
    expect(await sshKeys.ensure({ name: "other", publicKey: other }, trial.signal)).to.deep.equal(key);
    expect(trial.count("POST /v2/account/keys")).to.equal(1);
    await trial.client().droplets.create({ ...ORDER, sshKeys: [key.id, key.fingerprint] }, trial.signal);
  });

  it("gets tags and loses them again, also when asked twice", async () => {
    const { tags } = trial.client();
    for (let time = 0; time < 2; time++) await tags.ensure("sluice-mark:1", trial.signal);
    expect(trial.server.cloud.tags).to.deep.equal(new Set(["sluice-mark:1"]));
    expect(trial.count("POST /v2/tags")).to.equal(1);
    for (let time = 0; time < 2; time++) await tags.delete("sluice-mark:1", trial.signal);
    expect(trial.server.cloud.tags.size).to.equal(0);
  });

  it("has a default VPC in each region, and gets others by name", async () => {
    const { vpcs, droplets } = trial.client();
    const isDefault = (await vpcs.list(trial.signal)).filter((vpc) => vpc.isDefault).map((vpc) => vpc.region);
    expect(isDefault).to.deep.equal(["nyc3", "ams3", "fra1"]);
    const vpc = await vpcs.ensure({ name: "sluice", region: "fra1" }, trial.signal);
    expect(await vpcs.ensure({ name: "sluice", region: "fra1" }, trial.signal)).to.deep.equal(vpc);
    await droplets.create({ ...ORDER, vpc: vpc.id }, trial.signal);
  });

  it("gets a firewall, which is changed only when it differs from the plan", async () => {
    const { firewalls } = trial.client();
    expect(await firewalls.ensure(FIREWALL, trial.signal)).to.equal("created");
    const made = [...trial.server.cloud.firewalls.values()];
    expect(made).to.have.length(1);
    const writes = trial.server.requests.filter((name) => !name.startsWith("GET")).length;
    const reordered = { ...FIREWALL, inbound: [...FIREWALL.inbound].reverse() };
    expect(await firewalls.ensure(reordered, trial.signal)).to.equal("unchanged");
    expect(trial.server.requests.filter((name) => !name.startsWith("GET"))).to.have.length(writes);
    const stricter = { ...FIREWALL, inbound: FIREWALL.inbound.slice(1) };
    expect(await firewalls.ensure(stricter, trial.signal)).to.equal("updated");
    expect(await firewalls.ensure(stricter, trial.signal)).to.equal("unchanged");
    const [firewall] = trial.server.cloud.firewalls.values();
    expect(firewall?.inbound_rules).to.have.length(2);
    expect(firewall?.outbound_rules).to.have.length(3);
  });

  it("gets one firewall when the response is lost", async () => {
    trial.server.disrupt({ answer: "lost", operation: "POST /v2/firewalls" });
    expect(await trial.client().firewalls.ensure(FIREWALL, trial.signal)).to.equal("created");
    expect(trial.server.cloud.firewalls.size).to.equal(1);
  });

  it("has reserved IPs, which move between droplets", async () => {
    const { droplets, reservedIps } = trial.client();
    const address = await trial.server.addReservedIp("fra1");
    const one = await droplets.create(ORDER, trial.signal);
    const two = await droplets.create({ ...ORDER, mark: "sluice-mark:2" }, trial.signal);
    const wait = { timeoutMs: 60_000, signal: trial.signal };
    for (const { id } of [one, two]) {
      await reservedIps.assign(address, id, wait);
      expect(await reservedIps.list(trial.signal)).to.deep.equal([{ address, region: "fra1", droplet: id }]);
    }
    const operation = "POST /v2/reserved_ips/{reserved_ip}/actions";
    await reservedIps.assign(address, two.id, wait);
    expect(trial.count(operation)).to.equal(2);
    trial.server.disrupt({ answer: "lost", operation });
    await reservedIps.assign(address, one.id, wait);
    expect(trial.count(operation)).to.equal(3);
    await droplets.delete(one.id, trial.signal);
    expect(await reservedIps.read(address, trial.signal)).not.to.have.property("droplet");
  });
});
