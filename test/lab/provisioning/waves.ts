import { expect } from "chai";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { HTTP_PORT, LabFleet } from "../swarm/lab-fleet.js";
import { DROPLET_PACKAGES, LabMachines } from "../digitalocean/lab-machines.js";
import { FakeDigitalOcean } from "../digitalocean/fake-digitalocean.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";

/**
 * Run by hand, on a machine that does nothing else: hosts of the lab see its processors as theirs.
 * WAVES=3 node_modules/.bin/mocha test/lab/provisioning/waves.ts
 */
const WAVES = Number(process.env["WAVES"] ?? 1);
const SERVER = `require("http").createServer((_, answer) => answer.end("ok")).listen(process.env.PORT)`;
const TURN_TIMEOUT_MS = 240_000;
/** A question is a command, whose processor time counts as the hosts'. */
const POLL_MS = 3000;

describe("a fleet whose load rises and falls", function () {
  this.timeout(WAVES * 2 * TURN_TIMEOUT_MS + 200_000);
  const [servers, droplets] = [new LabTest(), new LabTest()];
  let cloud: FakeDigitalOcean;
  let fleet: LabFleet;
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await droplets.open(this, [...DROPLET_PACKAGES, "docker.io", "nftables", "unattended-upgrades"]);
    const [gate] = (await droplets.lab.boot(1)) as [LabHost];
    cloud = await FakeDigitalOcean.start(new LabMachines(droplets.lab), { address: gate.gateway });
    const api = `digitalocean: { url: "${cloud.url}", token: ${cloud.token} }`;
    fleet = await LabFleet.start(servers.lab, {
      hosts: 1,
      fleet: `${api}, production: { region: fra1, max: 1 }, cpuTarget: 60, cooldownSeconds: 15`,
    });
    await fleet.push("shop", { "server.js": SERVER, Procfile: "web: node server.js\n" });
    await fleet.sluice("scale shop web=2");
  });
  after(async () => {
    await cloud.close();
    await servers.close();
    await droplets.close();
  });

  const droplet = async (): Promise<string | undefined> => {
    const text = await fleet.sluice("hosts --json");
    const found = JSON.parse(text) as { host: string; phase: string }[];
    return found.find(({ host }) => host.startsWith("production-"))?.phase;
  };
  const took = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    const began = performance.now();
    await eventually(what, isSo, TURN_TIMEOUT_MS, POLL_MS);
    process.stdout.write(`      ${what}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  };

  it("gets a droplet when its hosts are busy, and gives it back when they are not, without a failed request", async () => {
    const asking = askUntilStopped(`${fleet.server.address}:${HTTP_PORT}`);
    // Hosts of the lab see the processors of this machine.
    const burn = "for i in 1 2 3; do (while :; do :; done) & done; wait";
    for (let wave = 0; wave < WAVES; wave++) {
      await fleet.server.run(`setsid sh -c '${burn}' >/dev/null 2>&1 </dev/null & echo $! >/root/burn`);
      await took("a droplet is ordered", async () => (await droplet()) !== undefined);
      await took("it is ready", async () => (await droplet()) === "ready");
      await took("an instance runs there", async () =>
        [...(await fleet.placesOf("shop")).keys()].some((host) => host.startsWith("production-")),
      );
      await fleet.server.run("kill -KILL -- -$(ps -o pgid= -p $(cat /root/burn) | tr -d ' ')");
      await took("it leaves", async () => (await droplet()) === "leaving");
      await took("it is gone", async () => (await droplet()) === undefined);
      expect(cloud.bill.monthlyUsd).to.equal(0);
    }
    const { asked, failed } = await asking.stop();
    process.stdout.write(`      ${failed} of ${asked} requests failed\n`);
    expect(failed).to.equal(0);
    expect(cloud.bill.history).to.have.length(WAVES);
  });
});

/** One request after the other. */
function askUntilStopped(address: string): { stop(): Promise<{ asked: number; failed: number }> } {
  let [asked, failed, isOver] = [0, 0, false];
  const loop = (async () => {
    while (!isOver) {
      asked++;
      const answer = await ask(address, { headers: { host: "shop.localhost" } }).catch(() => undefined);
      if (answer?.status !== 200) failed++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await loop;
      return { asked, failed };
    },
  };
}
