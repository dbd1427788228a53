import { expect } from "chai";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";
import { eventually } from "../../support/eventually.js";

const HOME = "/var/lib/sluice";

describe("bad luck while hosts are provisioned", function () {
  this.timeout(600_000);
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
    fleet = await LabFleet.start(servers.lab, { hosts: 1, fleet: `${api}, proxy: { region: fra1 }` });
    await fleet.giveLabKey();
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
  const becomes = async (host: string, phase: string | undefined): Promise<void> => {
    let now: string | undefined;
    let said = "";
    await eventually(
      () => `${host} is ${String(phase)}, not ${String(now)}; ${said}`,
      async () => {
        now = (await phases()).get(host);
        said = await fleet.sluice("events -n 8");
        return now === phase;
      },
      180_000,
      1000,
    );
  };
  const begin = (command: string): Promise<string> => fleet.sluice(command).catch(String);

  it("is over when apt is free again: another one at work is waited for", async () => {
    const hold = "touch /root/locked; while [ -e /root/locked ]; do sleep 0.2; done";
    await machine.run("apt-get update -q");
    await machine.run(
      `setsid apt-get install -y -q --reinstall -o DPkg::Pre-Invoke::='${hold}' procps >/dev/null 2>&1 </dev/null &`,
    );
    await eventually("apt is locked", async () => (await machine.run("ls /root")).includes("locked"), 60_000);
    const provisioned = begin(`provision proxy ${machine.address} --identity ${LAB_KEY} --name edge-1`);
    await eventually(
      "it waits",
      async () => (await fleet.sluice("hosts")).includes("configuring") && (await hasTried()),
      60_000,
    );
    expect((await phases()).get("edge-1")).to.equal("configuring");
    await machine.run("rm /root/locked");
    expect(await provisioned).to.include("edge-1 is ready");
  });

  /** Whether apt was asked by Sluice: it updates its lists, then is in the way. */
  const hasTried = async (): Promise<boolean> =>
    (await machine.run("find /var/lib/apt/lists -newer /root/locked | head -1")) !== "";

  it("does not hold up a server that stops, and the next one goes on", async () => {
    await machine.run(
      "systemctl stop sluice; rm -rf /opt/sluice/current /opt/sluice/releases; apt-get remove -y -q haproxy >/dev/null",
    );
    const provisioned = begin("provision --host edge-1");
    await eventually(
      "it is at work",
      async () => (await machine.run("pgrep -x apt-get || true")) !== "",
      120_000,
    );
    const began = performance.now();
    await fleet.sluice("down --keep-traffic");
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`      stopped in ${seconds.toFixed(1)} s\n`);
    await provisioned;
    await fleet.up();
    await becomes("edge-1", "ready");
  });

  it("is told when the machine's disk is full, and nothing is half done", async () => {
    const [small] = (await bare.lab.boot(1)) as [LabHost];
    // df(1) is asked; the disks of the lab are this machine's.
    await small.run(
      "printf '#!/bin/sh\\nprintf \"Avail\\\\n100M\\\\n\"\\n' >/usr/local/bin/df; chmod 755 /usr/local/bin/df",
    );
    const said = await begin(`provision proxy ${small.address} --identity ${LAB_KEY} --name edge-2`);
    expect(said, said).to.include("its disk has 100 MB free").and.include("edge-2 is not as it should be");
    expect((await phases()).get("edge-2")).to.equal("failed");
    expect(await fleet.sluice("hosts")).to.include("its disk has 100 MB free");
    await eventually("there is an alert", async () =>
      (await fleet.sluice("alerts")).includes("edge-2 could not be provisioned"),
    );
    await fleet.sluice("hosts remove edge-2 --force");
    expect((await phases()).has("edge-2")).to.equal(false);
  });

  it("is told when a droplet shows another key than the one it was made with, and the droplet goes", async () => {
    cloud.spoilNextDroplet("wrong-host-key");
    const said = await begin("provision proxy");
    expect(said).to.include("shows another SSH host key");
    await becomes("proxy-1", undefined);
    expect(cloud.bill.monthlyUsd).to.equal(0);
  });

  it("does not hold up who removes a droplet while it boots, or is configured", async () => {
    // So that it is seen while it is being created.
    cloud.disrupt({ answer: 500, times: 2, operation: "GET /v2/droplets" });
    for (const phase of ["creating", "configuring"]) {
      const provisioned = begin("provision proxy");
      await becomes("proxy-1", phase);
      const began = performance.now();
      await fleet.sluice("hosts remove proxy-1");
      const seconds = (performance.now() - began) / 1000;
      process.stdout.write(`      removed while ${phase} in ${seconds.toFixed(1)} s\n`);
      // An order whose answer is not known is looked for over 30 s.
      expect(seconds).to.be.lessThan(45);
      expect(await provisioned).to.include("proxy-1 is not as it should be");
      expect(cloud.bill.monthlyUsd, `removed while ${phase}`).to.equal(0);
    }
  });

  it("is over when DigitalOcean answers again", async () => {
    cloud.disrupt({ answer: 500, times: 8, operation: "GET /v2/droplets" });
    cloud.disrupt({ answer: "lost", times: 1, operation: "POST /v2/droplets" });
    const said = await begin("provision proxy");
    if (!said.includes("is ready")) await becomes("proxy-1", "ready");
    expect(cloud.bill.monthlyUsd).to.equal(12);
    await fleet.sluice("hosts remove proxy-1");
    expect(cloud.bill.monthlyUsd).to.equal(0);
  });

  it("leaves nothing when the server is killed (-9) while it makes a droplet, and while it takes it back", async () => {
    for (const delayMs of [300, 4000, 12_000]) {
      const provisioned = begin("provision proxy");
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await fleet.killServer();
      await fleet.up();
      // An order whose answer was lost is sent again.
      await provisioned;
      if (!(await phases()).has("proxy-1")) continue;
      await becomes("proxy-1", "ready");
      void begin("hosts remove proxy-1");
      await new Promise((resolve) => setTimeout(resolve, delayMs / 6));
      await fleet.killServer();
      await fleet.up();
      if ((await phases()).get("proxy-1") === "ready") await fleet.sluice("hosts remove proxy-1");
      await becomes("proxy-1", undefined);
      expect(cloud.bill.monthlyUsd, `killed after ${delayMs} ms`).to.equal(0);
    }
    expect(await fleet.server.run(`ls ${HOME}/ssh_key`)).to.include("ssh_key");
  });
});
