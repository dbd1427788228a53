import { expect } from "chai";
import { access } from "node:fs/promises";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { freeRange } from "../../support/network/free-range.js";
import { isAlive } from "../../support/running/test-sluice.js";
import { answerAt, type EngineTrial } from "./engine-trial.js";

const LOOP = "while :; do sleep 0.05; done";

/** Nobody listens, or there is no such network any more. */
const NOBODY = /^(?:ECONNREFUSED|EHOSTUNREACH)$/;

export function stopsInstances(trial: EngineTrial): void {
  const ifFilesAreShared = trial.itIf("sharesFiles");
  it("lets an instance finish what it has begun", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    const slow = ask(address, { path: "/slow?ms=700" });
    await eventually("the request is there", async () => (await answerAt(address)).status === 200);
    await trial.engine.stop("shop.v1.web.1", 10);
    expect((await slow).body).to.equal("v1");
  });

  it("asks every process of an instance to end (TERM)", async () => {
    const child = `(trap "echo child got it; exit" TERM; echo ready; ${LOOP}) &`;
    await trial.start(trial.worker(`trap "echo parent got it; exit" TERM; ${child} ${LOOP}`));
    await trial.said("shop.v1.worker.1", "ready");
    await trial.engine.stop("shop.v1.worker.1", 10);
    const log = await trial.logOf("shop.v1.worker.1");
    expect(log).to.include("child got it").and.include("parent got it");
  });

  it("gives every process the grace, also when the first one has left at once", async () => {
    const child = `(trap "sleep 0.5; echo goodbye; exit" TERM; echo ready; ${LOOP}) &`;
    await trial.start(trial.worker(`${child} exec sleep 1000`));
    await trial.said("shop.v1.worker.1", "ready");
    const graceSeconds = 20;
    const tookMs = await timeOf(() => trial.engine.stop("shop.v1.worker.1", graceSeconds));
    // Given the grace, it says goodbye; the rest of the grace is not waited for.
    expect(await trial.logOf("shop.v1.worker.1")).to.include("goodbye");
    expect(tookMs).to.be.lessThan(graceSeconds * 1000);
  });

  for (const [who, parent] of [
    ["one that", `trap "" TERM; ${LOOP}`],
    ["a child of one that has left, which", "exec sleep 1000"],
  ] as const) {
    it(`ends ${who} does not listen when the grace is over (KILL)`, async () => {
      const child = `(trap "" TERM; echo "child $(exec sh -c 'echo $PPID')"; ${LOOP}) &`;
      await trial.start(trial.worker(`${child} ${parent}`));
      const child_ = await trial.processOf(await trial.said("shop.v1.worker.1", "child"));
      const state = await trial.reaches("shop.v1.worker.1", "runs", ({ running }) => running);
      const tookMs = await timeOf(() => trial.engine.stop("shop.v1.worker.1", 0.6));
      expect(tookMs).to.be.at.least(550);
      expect(await trial.isAlive(state)).to.equal(false);
      expect(await isAlive(child_)).to.equal(false);
    });
  }

  it("stops one that waits for its next try without waiting for it, and does not start it again", async () => {
    await trial.start(trial.worker("echo try; exit 1"));
    const tries = async (): Promise<number> =>
      (await trial.logOf("shop.v1.worker.1")).filter((text) => text === "try").length;
    // The pause is of some seconds then.
    const { ends } = await trial.reaches(
      "shop.v1.worker.1",
      "has ended four times",
      (state) => state.ends >= 4,
    );
    await eventually("they are in the log", async () => (await tries()) >= ends);
    await trial.engine.stop("shop.v1.worker.1", 10);
    const before = await tries();
    await answerAt((await trial.start(trial.web())).address);
    expect(await tries()).to.equal(before);
  });

  it("forgets a stopped instance: no state, no process, nothing that listens", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    const state = await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running);
    await trial.engine.stop("shop.v1.web.1", 10);
    expect(await trial.engine.state("shop.v1.web.1")).to.equal(undefined);
    expect(await trial.engine.list()).to.deep.equal([]);
    expect(await trial.engine.listening("shop.v1.web.1")).to.deep.equal([]);
    expect(await trial.isAlive(state)).to.equal(false);
    expect(await ask(address).catch(codeOf)).to.match(NOBODY);
  });

  it("gives the port of a stopped instance back, and starts it again as if it had never been", async () => {
    if (trial.traits.sharesPorts) await trial.useRange(await freeRange(1));
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    await ask(address, { path: "/crash" }).catch(() => undefined);
    await trial.reaches("shop.v1.web.1", "has ended", ({ ends }) => ends > 0);
    await trial.engine.stop("shop.v1.web.1", 10);
    const again = await trial.start(trial.web());
    // On this machine's only free port it is the same; a network of its own is a new one.
    if (address?.startsWith("127.0.0.1:")) expect(again).to.deep.equal({ address });
    expect(await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running)).to.include({ ends: 0 });
    expect((await answerAt(again.address)).status).to.equal(200);
  });

  ifFilesAreShared("removes the socket of a stopped instance", async function () {
    const { address = "" } = await trial.start(trial.web({ listen: "socket" }));
    await answerAt(address);
    await trial.engine.stop("shop.v1.web.1", 10);
    expect(await access(address.slice("unix@".length)).catch(codeOf)).to.equal("ENOENT");
  });

  it("can be asked to stop one twice, at once or later, and one that it does not know", async () => {
    await trial.start(trial.web());
    await trial.start(trial.worker("exec sleep 1000"));
    await Promise.all([trial.engine.stop("shop.v1.web.1", 10), trial.engine.stop("shop.v1.web.1", 10)]);
    await trial.engine.stop("shop.v1.web.1", 10);
    await trial.engine.stop("shop.v9.web.1", 10);
    expect((await trial.engine.list()).map(({ id }) => id)).to.deep.equal(["shop.v1.worker.1"]);
  });
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const began = Date.now();
  await work();
  return Date.now() - began;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}
