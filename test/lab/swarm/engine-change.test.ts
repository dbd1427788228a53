import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { startLoad } from "../../support/running/load.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { HTTP_PORT, LabFleet } from "./lab-fleet.js";

const PER_SECOND = 50;
/** Without a standby: what runs is what serves. */
const SHOP = tinyApp({ "app.json": JSON.stringify({ sluice: { standbySeconds: 0 } }) });
const CHANGE_TIMEOUT_MS = 120_000;

describe("one host whose engine is changed", function () {
  this.timeout(400_000);
  const test = new LabTest();
  let fleet: LabFleet;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 1, engine: "runit" });
    await fleet.push("shop", SHOP);
    await fleet.sluice("scale shop web=2");
  });
  after(async () => test.close());

  const services = async (): Promise<string[]> =>
    (await fleet.server.run("ls /var/lib/sluice/services | grep '^shop' || true"))
      .split("\n")
      .filter(Boolean);
  const containers = async (): Promise<string[]> =>
    (await fleet.server.run("docker ps --format '{{.Names}}' 2>/dev/null | grep '^shop' || true"))
      .split("\n")
      .filter(Boolean);

  for (const { to, before, after } of [
    { to: "swarm", before: services, after: containers },
    { to: "runit", before: containers, after: services },
  ] as const)
    it(`goes to ${to} without a failed request, and keeps nothing of the other`, async () => {
      await eventually("no earlier release runs", async () => (await before()).length === 2);
      const load = startLoad(HTTP_PORT, "shop", "/", PER_SECOND, fleet.server.address);
      await fleet.use(to);
      await eventually(
        `only ${to} runs instances`,
        async () => (await before()).length === 0 && (await after()).length === 2,
        CHANGE_TIMEOUT_MS,
      );
      const { failures, sent } = await load.stop();
      expect(failures).to.deep.equal([]);
      expect(sent).to.be.greaterThan(50);
      expect((await fleet.ask("shop")).status).to.equal(200);
      await fleet.push("shop", { ...SHOP, note: to });
    });

  it("leaves nothing running when it is taken down, whatever runs it", async () => {
    await fleet.use("swarm");
    await eventually("the Swarm runs it", async () => (await containers()).length === 2, CHANGE_TIMEOUT_MS);
    await fleet.sluice("down");
    expect(await containers()).to.deep.equal([]);
    expect(await services()).to.deep.equal([]);
    expect(await fleet.server.run("docker service ls -q; docker secret ls -q")).to.equal("");
    const left = await fleet.server.run("pgrep -l 'haproxy|redis-server|runsv|docker-registry' || true");
    expect(left).to.equal("");
  });
});
