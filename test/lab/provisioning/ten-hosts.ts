import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";

/** Run by hand, since it takes long: node_modules/.bin/mocha test/lab/provisioning/ten-hosts.ts */
const HOSTS = 10;
const TIMEOUT_MS = 900_000;

describe("ten bare machines", function () {
  this.timeout(TIMEOUT_MS);
  const [servers, bare] = [new LabTest(), new LabTest()];
  let fleet: LabFleet;
  let machines: LabHost[];
  before(async function () {
    await servers.open(this, SERVER_PACKAGES);
    await bare.open(this);
    fleet = await LabFleet.start(servers.lab, { hosts: 1 });
    machines = await bare.lab.boot(HOSTS);
    await fleet.giveLabKey();
  });
  after(async () => {
    await servers.close();
    await bare.close();
  });

  it("become hosts side by side", async () => {
    const began = performance.now();
    const memory: number[] = [];
    const provisioned = Promise.all(
      machines.map(async ({ address }, index) =>
        fleet.sluice(`provision production ${address} --identity ${LAB_KEY} --name web-${index + 1}`),
      ),
    );
    const measured = eventually(
      "all are ready",
      async () => {
        const { memoryMegabytes } = JSON.parse(await fleet.sluice("status --json")) as {
          memoryMegabytes: number;
        };
        memory.push(memoryMegabytes);
        return (await fleet.sluice("hosts")).split(" ready ").length > HOSTS;
      },
      TIMEOUT_MS,
      5000,
    );
    const said = await provisioned.catch(async (error: unknown) => {
      const told = await fleet.server.run(
        "tail -n 5 /root/up.log /var/lib/sluice/server.log; pgrep -af 'sluice up'",
      );
      throw new Error(`${String(error)}\n${told}`);
    });
    await measured;
    const seconds = (performance.now() - began) / 1000;
    for (const [index, text] of said.entries()) expect(text).to.include(`web-${index + 1} is ready`);
    const most = Math.max(...memory);
    process.stdout.write(
      `      ${HOSTS} hosts: ${seconds.toFixed(1)} s; the server had ${most} MB at most\n`,
    );
  });
});
