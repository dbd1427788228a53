import { expect } from "chai";
import { AppError } from "../../../../core/errors/app-error.js";
import { Repository } from "../../../../server/git/repository.js";
import { endBranch } from "../../../../server/pipeline/operations/end-branch.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

const APP = "shop";

describe("a branch that was deleted", function () {
  this.timeout(60_000);
  let trial: TestPipeline;
  beforeEach(async () => (trial = await TestPipeline.start()));
  afterEach(async () => trial.stop());

  const release = async (branch: string, beforeSwitch = async () => Promise.resolve()): Promise<void> => {
    const track = await trial.parts.tools.branchTracks.claim(APP, branch);
    await trial.release(await trial.commit(), { branch, track, beforeSwitch });
  };
  const removeHead = async (branch: string): Promise<void> => {
    const { home } = trial.parts.tools;
    await new Repository(home.repository(APP), home.gitHome()).removeHead(branch);
  };

  it("keeps its preview when it was pushed again before its turn came", async () => {
    const { tools, pipeline } = trial.parts;
    await release("feature/one");
    await removeHead("feature/one");
    const ended: Promise<void>[] = [];
    await release("feature/one", async () => {
      ended.push(endBranch(pipeline, APP, "feature/one", { by: "me" }));
      return Promise.resolve();
    });
    await Promise.all(ended);
    expect(ended).to.have.length(1);
    expect(await trial.tracks()).to.deep.equal({ "feature-one": 2 });
    expect(await tools.branchTracks.find(APP, "feature/one")).to.equal("feature-one");
  });

  it("is ended by the next server where this one could not, and its name is free", async () => {
    await release("feature/one");
    await release("fix");
    await removeHead("feature/one");
    await trial.parts.tools.branchTracks.claim(APP, "Declined");
    await trial.serverAnew();
    await trial.recover();
    const { tools } = trial.parts;
    expect(await trial.tracks()).to.deep.equal({ fix: 2 });
    expect(await tools.branchTracks.claim(APP, "Feature_One")).to.equal("feature-one");
    expect(await tools.branchTracks.claim(APP, "declined")).to.equal("declined");
    expect(await tools.branchTracks.find(APP, "fix")).to.equal("fix");
  });

  it("has no name any more when its first push was declined while Redis was away", async () => {
    const { tools, pipeline } = trial.parts;
    const commit = await trial.commit();
    const undone: unknown = await trial
      .exclusively(async () => {
        const track = await tools.branchTracks.claim(APP, "feature/one");
        const work = await trial.begin(commit, { branch: "feature/one", track });
        trial.wire.away();
        await pipeline.undo(work, new AppError("push-interrupted", {}));
      })
      .catch((error: unknown) => error);
    expect(undone).to.have.property("code", "redis-unavailable");
    trial.wire.back();
    await eventually("its name is free", async () => {
      pipeline.resolvePostponed();
      return (await tools.branchTracks.find(APP, "feature/one")) === undefined;
    });
  });
});
