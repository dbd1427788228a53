import { expect } from "chai";
import { readdir, readlink } from "node:fs/promises";
import { CANARY } from "../../../../core/records/routes/route-table.js";
import { Baselines } from "../../../../server/reconcile/baselines.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

describe("a baseline's log", function () {
  this.timeout(30_000);
  let pipeline: TestPipeline;
  before(async () => (pipeline = await TestPipeline.start()));
  after(async () => pipeline.stop());

  it("is closed when the baseline serves", async () => {
    await pipeline.release(await pipeline.commit());
    const canary = { "app.json": '{"sluice": {"canary": {"baseline": true}}}' };
    await pipeline.release(await pipeline.commit(canary), { branch: "staging", track: CANARY });
    const baselines = new Baselines(pipeline.parts.tools, pipeline.parts.pipeline).start();
    await eventually("the baseline serves", async () => (await pipeline.phases())[0] === "v3 settled");
    await baselines.stop();
    expect((await openFiles()).filter((path) => path.startsWith(pipeline.folder))).to.deep.equal([]);
  });
});

/** Of this process, proc(5). */
async function openFiles(): Promise<string[]> {
  const descriptors = await readdir("/proc/self/fd");
  return Promise.all(descriptors.map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
}
