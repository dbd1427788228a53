import { expect } from "chai";
import { isAppError } from "../../../../core/errors/app-error.js";
import { Output } from "../../../../server/pipeline/output.js";
import { scaleProduction } from "../../../../server/pipeline/operations/scale.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

describe("a change of scale whose answer got lost", function () {
  this.timeout(60_000);
  let pipeline: TestPipeline;
  before(async () => {
    pipeline = await TestPipeline.start();
    await pipeline.release(await pipeline.commit());
    await scaleTo(2);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1", "shop.v1.web.2"]);
  });
  after(async () => pipeline.stop());

  it("is made where the connection is there again at once", async () => {
    const lost = pipeline.wire.loseAnswer(isChange);
    await scaleTo(3);
    await lost;
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1", "shop.v1.web.2", "shop.v1.web.3"]);
  });

  it("leaves no instance behind that the release has no more, though Redis stayed away", async () => {
    const lost = pipeline.wire.loseAnswer(isChange, { thenAway: true });
    const scaling = scaleTo(1).catch((error: unknown) => error);
    await lost;
    expect(isAppError(await scaling, "redis-unavailable")).to.equal(true);
    pipeline.wire.back();
    await eventually("the others have left", () => pipeline.running().join() === "shop.v1.web.1");
    expect((await pipeline.parts.tools.releases.find("shop", 1))?.instances).to.have.length(1);
  });

  async function scaleTo(web: number): Promise<void> {
    const { pipeline: itself } = pipeline.parts;
    const { signal } = new AbortController();
    await scaleProduction(
      itself,
      { app: "shop", wanted: { web }, by: "me", reason: "a test", signal },
      new Output(),
    );
  }
});

/** Of the table and the record at once. */
function isChange(request: readonly string[]): boolean {
  return request[0] === "eval" && request.includes("sluice:routes-changed");
}
