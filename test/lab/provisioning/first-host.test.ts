import { expect } from "chai";
import type { LabHost } from "../lab-host.js";
import { LabTest } from "../lab-test.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LAB_KEY, LabFleet } from "../swarm/lab-fleet.js";

const SERVER = `require("http").createServer((_, answer) => answer.end("ok")).listen(process.env.PORT)`;

describe("the first host besides the server's own", function () {
  this.timeout(400_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let machine: LabHost;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 1, engine: "runit" });
    [machine] = (await test.lab.boot(1)) as [LabHost];
    await fleet.giveLabKey();
    await fleet.push("shop", { "server.js": SERVER, Procfile: "web: node server.js\n" });
  });
  after(async () => test.close());

  const provision = async (more: string): Promise<string> =>
    fleet.sluice(`provision production ${machine.address} --identity ${LAB_KEY} --name web-1 ${more}`);

  it("is not added while Sluice runs in a terminal, from where it must be restarted", async () => {
    const refused = await provision("--yes").catch(String);
    expect(refused).to.include("Sluice runs in a terminal");
    expect((await fleet.ask("shop")).status).to.equal(200);
  });

  it("is added after the engine was changed, if somebody agrees; what serves goes on", async () => {
    await fleet.sluice("down --keep-traffic");
    await fleet.sluice("up --detach");
    const unanswered = await provision("").catch(String);
    expect(unanswered).to.include("The engine stays runit");
    const said = await provision("--yes");
    expect(said).to.include("engine: swarm").and.include("web-1 is ready");
    expect((await fleet.ask("shop")).status).to.equal(200);
    expect(JSON.parse(await fleet.sluice("hosts --json"))).to.have.length(2);
  });
});
