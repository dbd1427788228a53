import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER } from "../../support/git/tiny-app.js";
import { Upgraded } from "../../support/network/upgraded.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp, plainApp } from "./fleet-app.js";
import { HTTP_PORT, LabFleet, type StartedPush } from "./lab-fleet.js";

const INSTANCES = 3;
const MARK = "the-step-is-under-way";
/** By the command itself; a heading may show the command. */
const SAID = new RegExp(`^(remote: )? +${MARK}\\s*$`, "m");
const HANGS = `echo ${MARK}; sleep 300`;
const RAN = "/root/postdeploy-ran";

/** Kills the server at every step; the traffic must not notice, and the release is finished or undone. */
describe("a Sluice with two hosts whose server is killed (-9)", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let app: FleetApp;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 2 });
    app = new FleetApp(fleet, "shop");
    await fleet.push("shop", plainApp("first"));
    await fleet.sluice(`scale shop web=${INSTANCES}`);
  });
  after(async () => test.close());

  const undone: Record<string, { files: Record<string, string>; isThere(said: string): boolean }> = {
    gates: { files: scripted({ lint: HANGS }), isThere: isSaid },
    "the build": { files: scripted({ build: HANGS }), isThere: isSaid },
    "the sending of its image": {
      files: { "big.bin": incompressible(24) },
      isThere: (said) => said.includes("Image"),
    },
    "the release command": {
      files: { Procfile: `web: node server.js\nrelease: ${HANGS}\n` },
      isThere: isSaid,
    },
    "the health check": {
      files: { "server.js": `setTimeout(() => {${TINY_SERVER}}, 20000);` },
      isThere: (said) => said.includes("-----> Health"),
    },
  };

  for (const [step, { files, isThere }] of Object.entries(undone))
    it(`during ${step}: takes the release back when it returns`, async () => {
      const before = await app.release();
      await killed(files, async (push) => eventually(`${step} is under way`, async () => isThere(await push.said())));
      expect(await app.release()).to.equal(before);
      expect(await phases()).to.deep.equal(["failed", "settled"]);
    });

  it("while a proxy has not switched yet: finishes the release", async () => {
    const before = await app.release();
    const workers = "ps -o pid= --ppid $(pgrep -o -x haproxy)";
    await killed({ note: "switch" }, async (push) => {
      await eventually("the health check runs", async () => (await push.said()).includes("-----> Health"));
    });
    expect(await app.release()).not.to.equal(before);
  });
});
