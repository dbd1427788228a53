import { expect } from "chai";
import { isAppError } from "../../../../core/errors/app-error.js";
import { keys } from "../../../../core/redis/keys.js";
import { Output } from "../../../../server/pipeline/output.js";
import { rollback } from "../../../../server/pipeline/operations/rollback.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

describe("a switch of which Redis has not said whether it was made", function () {
  this.timeout(60_000);
  let pipeline: TestPipeline;
  beforeEach(async () => {
    pipeline = await TestPipeline.start();
    await pipeline.release(await pipeline.commit());
  });
  afterEach(async () => pipeline.stop());

  it("is finished when it was made: nothing of the release is undone meanwhile", async () => {
    const error = await loseTheSwitch({ isMade: true });
    expect(isAppError(error, "release-in-doubt"), String(error)).to.equal(true);
    expect(await pipeline.tracks()).to.deep.equal({ production: 2 });
    await stillThere();
    pipeline.wire.back();
    await resolved(["v2 settled", "v1 settled"]);
    await stillThere();
  });

  it("is taken back when it was not made", async () => {
    const error = await loseTheSwitch({ isMade: false });
    expect(isAppError(error, "release-in-doubt"), String(error)).to.equal(true);
    await stillThere();
    pipeline.wire.back();
    await resolved(["v2 failed", "v1 settled"]);
    expect(await pipeline.tracks()).to.deep.equal({ production: 1 });
    expect(await pipeline.hasTree(2)).to.equal(false);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1"]);
    const { error: told } = (await pipeline.parts.tools.releases.find("shop", 2)) ?? {};
    expect(told?.message).to.include("was stopped by the test");
  });

  it("is asked about before the app's next release begins", async () => {
    await loseTheSwitch({ isMade: true });
    pipeline.wire.back();
    await eventually("Redis answers", async () => pipeline.parts.tools.releases.find("shop", 2));
    await pipeline.release(await pipeline.commit());
    expect(await pipeline.phases()).to.deep.equal(["v3 settled", "v2 settled", "v1 settled"]);
    expect(await pipeline.tracks()).to.deep.equal({ production: 3 });
  });

  it("is finished though the lock was gone before the answer could be asked for again", async () => {
    const lost = pipeline.wire.loseAnswer(isSwitch, { thenAway: true });
    const release = pipeline.release(await pipeline.commit()).catch((error: unknown) => error);
    await lost;
    await pipeline.direct.del(keys.lock("shop"));
    pipeline.wire.back();
    const error = await release;
    expect(isAppError(error, "release-in-doubt"), String(error)).to.equal(true);
    await resolved(["v2 settled", "v1 settled"]);
    await stillThere();
  });

  it("is no doubt where the connection is there again at once: the release goes on", async () => {
    const lost = pipeline.wire.loseAnswer(isSwitch);
    await pipeline.release(await pipeline.commit());
    await lost;
    expect(await pipeline.phases()).to.deep.equal(["v2 settled", "v1 settled"]);
    expect(await pipeline.tracks()).to.deep.equal({ production: 2 });
  });

  it("is finished when it was a rollback's", async () => {
    await pipeline.release(await pipeline.commit());
    const stop = new AbortController();
    const lost = pipeline.wire.loseAnswer(isSwitch, { thenAway: true });
    const { pipeline: itself } = pipeline.parts;
    const rolled = rollback(itself, "shop", new Output(), { signal: stop.signal }).catch(
      (error: unknown) => error,
    );
    await lost;
    stop.abort(new Error("the rollback was stopped by the test"));
    expect(isAppError(await rolled, "release-in-doubt")).to.equal(true);
    expect(pipeline.running()).to.deep.equal(["shop.v1.web.1", "shop.v2.web.1"]);
    pipeline.wire.back();
    await resolved(["v2 settled", "v1 settled"]);
    expect(await pipeline.tracks()).to.deep.equal({ production: 1 });
  });

  /** As when the lock runs out while Redis is away: what waits for it is broken off. */
  async function loseTheSwitch({ isMade }: { isMade: boolean }): Promise<unknown> {
    const stop = new AbortController();
    const lost = isMade ? pipeline.wire.loseAnswer(isSwitch, { thenAway: true }) : Promise.resolve();
    const beforeSwitch = async (): Promise<void> => {
      if (!isMade) pipeline.wire.away();
      return Promise.resolve();
    };
    const release = pipeline
      .release(await pipeline.commit(), { beforeSwitch, stop: stop.signal })
      .catch((error: unknown) => error);
    await lost;
    await eventually("it waits for Redis", () =>
      pipeline.said.some((line) => line.includes("waiting for Redis")),
    );
    stop.abort(new Error("it was stopped by the test"));
    return release;
  }

  async function stillThere(): Promise<void> {
    expect(await pipeline.hasTree(2)).to.equal(true);
    expect(pipeline.running()).to.include("shop.v2.web.1");
  }

  async function resolved(phases: string[]): Promise<void> {
    await eventually("Redis has said it, and it was done", async () => {
      pipeline.parts.pipeline.resolvePostponed();
      return (await pipeline.phases()).join() === phases.join();
    });
  }
});

/** Of the table and the record at once; `live` is new in it. */
function isSwitch(request: readonly string[]): boolean {
  return request[0] === "eval" && request.some((word) => word.includes('"phase":"live"'));
}
