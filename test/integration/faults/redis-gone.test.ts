import { expect } from "chai";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { leftoversOf } from "../../support/running/leftovers.js";
import { startLoad } from "../../support/running/load.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("Redis stopped", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("during a release: declines the push with the reason, keeps the traffic, and has taken the release back once Redis is there", async () => {
    const gate = '{"sluice": {"gates": {"slow": "echo gate-runs; sleep 2"}}}';
    const clone = await sluice.clone("norecords", tinyApp());
    await clone.mustPush();
    const load = startLoad(sluice.httpPort, "norecords");
    await clone.commit({ "app.json": gate });
    const push = clone.startPush();
    await eventually("the gate runs", () => push.output().includes("gate-runs"));
    await steer("d");
    const { status, output } = await push.done;
    expect(status).not.to.equal(0);
    expect(output)
      .to.include("Redis, which keeps Sluice's records, does not answer")
      .and.to.include("Traffic is not affected");
    const early = await clone.push();
    expect(early.status).not.to.equal(0);
    expect(early.output).to.include("does not answer");
    expect((await sluice.cli("doctor")).stdout).to.include("redis is not running");
    await steer("u");
    await eventually("v2 is recorded as failed", async () => {
      const releases = await sluice.read<{ release: string; phase: string }[]>("apps/norecords/releases");
      return releases.map(({ release, phase }) => `${release} ${phase}`).join() === "v2 failed,v1 settled";
    });
    await eventually("v1 is all there is", async () => {
      expect(await leftoversOf(sluice, "norecords")).to.deep.equal({
        jobs: [],
        instances: ["norecords.v1.web.1"],
        trees: ["v1"],
        servers: ["norecords.v1.web.1"],
      });
      return true;
    });
    const again = await clone.push();
    expect(again.status, again.output).to.equal(0);
    expect((await sluice.get("norecords")).body).to.equal("v3 web.1");
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("during a promotion: production stays, and nothing is left running beside the canary", async () => {
    const gate = join(sluice.shared, "gate");
    const web = `[ "$DYNO" = web.1 ] || until [ -e ${gate} ]; do sleep 0.1; done; exec node server.js`;
    const clone = await sluice.clone("jobs", tinyApp({ Procfile: `web: ${web}\nworker: exec sleep 1000\n` }));
    await clone.mustPush();
    await clone.commit({ note: "canary" });
    await clone.mustPush("HEAD:staging");
    await writeFile(gate, "");
    expect((await sluice.cli("scale", "jobs", "web=2", "worker=1")).status).to.equal(0);
    await rm(gate);
    const ofCanary = async (): Promise<string[]> =>
      (await sluice.instances()).filter((id) => id.startsWith("jobs.v2."));
    const promotion = sluice.cli("promote", "jobs");
    await eventually("its worker runs", async () => (await ofCanary()).includes("jobs.v2.worker.1"));
    await steer("d");
    await writeFile(gate, "");
    expect((await promotion).stderr).to.include("does not answer");
    await steer("u");
    await eventually("the canary's own are left", async () => (await ofCanary()).join() === "jobs.v2.web.1");
    expect((await sluice.get("jobs", "/", { "x-client-mode": "blue" })).body).to.match(/^v1 /);
  });

  /** One character for Redis' runsv: d stops it, u starts it. */
  async function steer(character: string): Promise<void> {
    await writeFile(join(sluice.home, "services/redis/supervise/control"), character);
  }
});
