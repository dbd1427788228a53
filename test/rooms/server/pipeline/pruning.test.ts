import { expect } from "chai";
import { mkdir } from "node:fs/promises";
import { prune } from "../../../../server/pipeline/prune.js";
import type { NewRelease } from "../../../../server/releases/release-store.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

describe("pruning beside a release that begins", function () {
  this.timeout(30_000);
  let pipeline: TestPipeline;
  before(async () => (pipeline = await TestPipeline.start()));
  after(async () => pipeline.stop());

  it("leaves its folder, whenever it begins", async () => {
    const { tools } = pipeline.parts;
    await pipeline.release(await pipeline.commit());
    // It begins once the records were read.
    const list = async (app: string): ReturnType<typeof tools.releases.list> => {
      const records = await tools.releases.list(app);
      const draft = await tools.releases.draft({ ...record(), app });
      await tools.releases.save(draft);
      await mkdir(tools.home.tree(app, draft.number), { recursive: true });
      return records;
    };
    const releases = Object.assign(Object.create(tools.releases) as typeof tools.releases, { list });
    await prune({ ...tools, releases }, "shop");
    expect(await pipeline.hasTree(2)).to.equal(true);
    // One that was given up goes.
    const given = await tools.releases.find("shop", 2);
    if (given !== undefined) await tools.releases.advance(given, "failed");
    await prune(tools, "shop");
    expect(await pipeline.hasTree(2)).to.equal(false);
  });

  function record(): Omit<NewRelease, "app"> {
    return {
      commit: "c",
      branch: "main",
      track: "production",
      source: "push",
      by: "me",
      steps: "deploy",
      processes: [],
    };
  }
});
