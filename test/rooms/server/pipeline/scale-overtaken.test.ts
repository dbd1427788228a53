import { expect } from "chai";
import { ScaleRequests, type ScaleRequest } from "../../../../core/records/scaling/scale-requests.js";
import { Output } from "../../../../server/pipeline/output.js";
import { rollback } from "../../../../server/pipeline/operations/rollback.js";
import { scaleProduction } from "../../../../server/pipeline/operations/scale.js";
import { Scaling } from "../../../../server/reconcile/scaling.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

describe("a request of the autoscaler's", function () {
  this.timeout(60_000);
  const { signal } = new AbortController();
  let pipeline: TestPipeline;
  let requests: ScaleRequests;
  beforeEach(async () => {
    pipeline = await TestPipeline.start();
    requests = new ScaleRequests(pipeline.direct);
    await pipeline.release(await pipeline.commit());
    await scaleTo(2);
  });
  afterEach(async () => pipeline.stop());

  it("is done when nobody has decided otherwise since", async () => {
    await answer(await requestFor(3));
    expect(await decisions()).to.deep.equal(["autoscaler 2 → 3", "me 1 → 2"]);
  });

  it("is not done when a person has scaled up and down again since", async () => {
    const request = await requestFor(3);
    await scaleTo(4);
    await scaleTo(2);
    await answer(request);
    expect(await decisions()).to.deep.equal(["me 4 → 2", "me 2 → 4", "me 1 → 2"]);
  });

  it("is not done when a person has rolled back and forth since", async () => {
    await pipeline.release(await pipeline.commit());
    const request = await requestFor(3);
    const { pipeline: itself } = pipeline.parts;
    for (const to of [1, 2]) await rollback(itself, "shop", new Output(), { signal, to });
    expect((await requestFor(3)).release).to.equal(request.release);
    await answer(request);
    expect(await decisions()).to.deep.equal(["me 1 → 2"]);
  });

  async function scaleTo(web: number): Promise<void> {
    const { pipeline: itself } = pipeline.parts;
    const order = { app: "shop", wanted: { web }, by: "me", reason: "a test", signal };
    await scaleProduction(itself, order, new Output());
  }

  /** As the monitor makes it of what it sees now. */
  async function requestFor(to: number): Promise<Omit<ScaleRequest, "v">> {
    const { tracks, releases } = await pipeline.parts.tools.routes.read("shop");
    const {
      number = 0,
      servers = [],
      sizedAt,
    } = releases.find((one) => one.number === tracks["production"]) ?? {};
    expect(servers).to.have.length(2);
    return { app: "shop", release: number, from: 2, sizedAt, to, reason: "a test", at: Date.now() };
  }

  async function answer(request: Omit<ScaleRequest, "v">): Promise<void> {
    await requests.ask(request);
    const scaling = new Scaling(pipeline.parts.tools, pipeline.parts.pipeline, requests).start();
    try {
      await eventually("it is done, or will not be", async () => (await requests.waiting()).length === 0);
    } finally {
      await scaling.stop();
    }
  }

  /** Newest first. */
  async function decisions(): Promise<string[]> {
    const all = await pipeline.parts.tools.scaleDecisions.list("shop");
    return all.map(({ by, from, to }) => `${by} ${from} → ${to}`);
  }
});
