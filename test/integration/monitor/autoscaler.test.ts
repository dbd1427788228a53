import { expect } from "chai";
import type { ScaleSummary } from "../../../core/api/apps/scale.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";

const SCALE = { min: 1, max: 2, cpuTarget: 20, cooldownSeconds: 5 };
/** Each answer costs a few milliseconds of CPU. */
const BUSY_SERVER = TINY_SERVER.replace(
  'if (url.pathname === "/slow")',
  `if (url.pathname === "/busy") { const until = performance.now() + 6; while (performance.now() < until); }
  if (url.pathname === "/slow")`,
);

describe("an app with `scale` in its app.json", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  const summary = async (): Promise<ScaleSummary> => sluice.read<ScaleSummary>("apps/shop/scale");
  const instances = async (): Promise<number> => {
    const { processes } = await summary();
    return processes.find(({ process }) => process === "web")?.running ?? 0;
  };

  it("has more instances while it is busy and one again when it is calm, without a failed request", async () => {
    const files = tinyApp({
      "server.js": BUSY_SERVER,
      "app.json": JSON.stringify({ sluice: { scale: SCALE, standbySeconds: 0 } }),
    });
    const clone = await sluice.clone("shop", files);
    await clone.mustPush();
    expect(await summary()).to.deep.include({ autoscaler: SCALE, decisions: [] });
    const calm = startLoad(sluice.httpPort, "shop", "/", 20);
    const busy = startLoad(sluice.httpPort, "shop", "/busy", 60);
    await eventually("there are two", async () => (await instances()) === 2, 30_000);
    const loads = [await busy.stop()];
    await eventually("there is one again", async () => (await instances()) === 1, 45_000);
    loads.push(await calm.stop());
    for (const { failures } of loads) expect(failures).to.deep.equal([]);
    // They are written down when they are done.
    const decisions = await eventually("both are recorded", async () => {
      const recorded = (await summary()).decisions;
      return recorded.length === 2 && recorded;
    });
    expect(decisions.map(({ by, from, to, outcome }) => ({ by, from, to, outcome }))).to.deep.equal([
      { by: "autoscaler", from: 2, to: 1, outcome: "done" },
      { by: "autoscaler", from: 1, to: 2, outcome: "done" },
    ]);
    expect(decisions[1]?.reason).to.match(/^each of 1 uses \d+ % CPU, target 20 %$/);
    expect(decisions[0]?.reason).to.match(
      /^for 15 s, 1 would each have used at most \d+ % CPU, target 20 %$/,
    );
  });
});
