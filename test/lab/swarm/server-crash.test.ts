import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp, plainApp } from "./fleet-app.js";
import { LabFleet } from "./lab-fleet.js";

const MOMENTS = 8;
const INSTANCES = 3;

/** Kills the server at moments that are spread over a push; the traffic must not notice, and the release is finished or undone. */
describe("a Sluice with two hosts whose server is killed (-9) during a push", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let app: FleetApp;
  let pushMs = 0;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 2 });
    app = new FleetApp(fleet, "shop");
    await fleet.push("shop", plainApp("first"));
    await fleet.sluice(`scale shop web=${INSTANCES}`);
    await fleet.commit("shop", plainApp("measured"));
    const began = Date.now();
    await fleet.pushCommit("shop");
    pushMs = Date.now() - began;
  });
  after(async () => test.close());

  for (let moment = 1; moment <= MOMENTS; moment++)
    it(`after ${moment}/${MOMENTS} of it: serves all the while, and one release is left`, async () => {
      const before = await app.release();
      await fleet.commit("shop", plainApp(`moment ${moment}`));
      let said = "";
      const { failures, releases } = await app.underLoad(async () => {
        const push = fleet.pushCommit("shop").then(
          (text) => (said = text),
          (error: unknown) => (said = String(error)),
        );
        // A moment, whatever happens in it.
        await new Promise((resolve) => setTimeout(resolve, (pushMs * moment) / MOMENTS));
        await fleet.killServer();
        await push;
        await fleet.up();
        await onlyOneServes();
      });
      const after = await app.release();
      const [last = "nothing was said"] = said.match(/-----> \w+/g)?.slice(-1) ?? [];
      process.stdout.write(`      killed after "${last}": ${before} → ${after}\n`);
      expect(failures).to.deep.equal([]);
      expect([before, after]).to.include.members([...releases.keys()]);
    });

  it("takes the next push", async () => {
    const before = await app.release();
    expect(await fleet.push("shop", plainApp("next"))).to.include("Live:");
    expect(await app.release()).not.to.equal(before);
    await onlyOneServes();
  });

  /** All instances, services and secrets are of the release that serves. */
  async function onlyOneServes(): Promise<void> {
    await eventually(
      "one release is left",
      async () => {
        const release = await app.release();
        const ids = Array.from({ length: INSTANCES }, (_, index) => `${release} web.${index + 1}`);
        expect([...(await app.answers())].sort()).to.deep.equal(ids);
        expect(await app.owners("service")).to.deep.equal(ids.map((id) => `shop.${id.replace(" ", ".")}`));
        expect(await app.owners("secret")).to.deep.equal(await app.owners("service"));
        expect(await app.names()).to.have.length(INSTANCES);
        return true;
      },
      60_000,
    );
  }
});
