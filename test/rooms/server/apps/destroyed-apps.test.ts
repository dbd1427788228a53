import { expect } from "chai";
import { execa } from "execa";
import { destroyApp } from "../../../../server/pipeline/operations/destroy-app.js";
import { Push } from "../../../../server/push/push.js";
import { eventually } from "../../../support/eventually.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

const APP = "shop";
const NOTHING = "0".repeat(40);

describe("an app that is destroyed", function () {
  this.timeout(60_000);
  let trial: TestPipeline;
  beforeEach(async () => (trial = await TestPipeline.start()));
  afterEach(async () => trial.stop());

  const pathOf = (): string => trial.parts.tools.home.repository(APP);
  const pushed = (): { readonly lines: string[]; ask(commit: string): Promise<number> } => {
    const { tools, pipeline } = trial.parts;
    const { home, settings, removals, log } = tools;
    const push = new Push({
      ...{ app: APP, actor: { by: "me" }, repositoryPath: pathOf(), gitHome: home.gitHome() },
      ...{ settings, pipeline, removals, log, onBranchDeleted: async () => Promise.resolve() },
    });
    const lines: string[] = [];
    const ask = async (after: string): Promise<number> => {
      const updates = [{ before: NOTHING, after, ref: "refs/heads/master" }];
      const request = { hook: "pre-receive", updates, options: [], environment: {} } as const;
      const status = await push.answer(request, (line) => lines.push(line));
      await push.end();
      return status;
    };
    return { lines, ask };
  };
  /** Holds the app; returns how to let go. */
  const hold = async (): Promise<() => Promise<void>> => {
    let [isHeld, letGo] = [false, (): void => undefined];
    const held = trial.exclusively(async () => {
      isHeld = true;
      await new Promise<void>((resolve) => (letGo = resolve));
    });
    await eventually("it is held", () => isHeld);
    return async () => {
      letGo();
      await held;
    };
  };

  it("is not made again by a push that began before, though a later one has made its repository", async () => {
    const commit = await trial.commit();
    await trial.release(commit);
    const push = pushed();
    const letGo = await hold();
    const destroyed = destroyApp(trial.parts.pipeline, APP, { by: "me" });
    // It has its place in the queue once Redis has told it of the app.
    await trial.parts.tools.apps.read(APP);
    const later = trial.exclusively(async () => {
      await trial.parts.desk.repositoryForPush(APP);
      await trial.commit();
    });
    await execa("git", ["-C", pathOf(), "update-ref", "-d", "refs/heads/master"]);
    const answer = push.ask(commit);
    await eventually("it waits", () => push.lines.some((line) => line.includes("Waiting for")));
    await letGo();
    await Promise.all([destroyed, later]);
    expect(await answer).to.equal(1);
    expect(push.lines.join("\n")).to.include(`The app "${APP}" was destroyed`);
    expect(await trial.parts.tools.apps.find(APP)).to.equal(undefined);
  });

  it("is made again by a push that began after, with a user of its own", async () => {
    const { tools, pipeline } = trial.parts;
    await trial.release(await trial.commit());
    const { uid } = await tools.apps.read(APP);
    await destroyApp(pipeline, APP, { by: "me" });
    await trial.parts.desk.repositoryForPush(APP);
    await trial.release(await trial.commit());
    expect(await trial.phases()).to.deep.equal(["v1 settled"]);
    expect((await tools.apps.read(APP)).uid).to.be.greaterThan(uid);
  });

  it("keeps its files and records from a server that does not hold it any more", async () => {
    const { tools, pipeline } = trial.parts;
    await trial.release(await trial.commit());
    const list = tools.engine.list.bind(tools.engine);
    tools.engine.list = async () => {
      const holder = { token: "theirs", who: "another server", since: "", why: "a push" };
      await trial.direct.set(`sluice:lock:${APP}`, JSON.stringify(holder));
      return list();
    };
    const outcome: unknown = await destroyApp(pipeline, APP, { by: "me" }).catch((error: unknown) => error);
    expect(outcome).to.have.property("code", "release-lock-lost");
    expect(await tools.apps.find(APP)).not.to.equal(undefined);
    expect(await trial.phases()).to.deep.equal(["v1 settled"]);
  });
});
