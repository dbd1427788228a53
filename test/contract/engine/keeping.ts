import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { eventually } from "../../support/eventually.js";
import { ask } from "../../support/network/ask.js";
import { isAlive } from "../../support/running/test-sluice.js";
import { answerAt, LIMITS, type EngineTrial } from "./engine-trial.js";

export function keepsThemRunning(trial: EngineTrial): void {
  for (const listen of ["port", "socket"] as const) {
    if (listen === "socket" && !trial.traits.sharesFiles) continue;
    it(`restarts an instance that was killed, at the same ${listen}, and counts it`, async () => {
      const { address } = await trial.start(trial.web({ listen }));
      await answerAt(address);
      const before = await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running);
      await trial.kill(before);
      const after = await trial.reaches(
        "shop.v1.web.1",
        "runs again",
        ({ ends, running }) => ends > 0 && running,
      );
      expect(after).to.deep.include({ ends: 1, lastEnd: "killed by SIGKILL" });
      if (trial.traits.keepsAddresses) expect(after.address).to.equal(address);
      expect(after.pid).not.to.equal(before.pid);
      expect((await answerAt(after.address)).body).to.equal("v1 web.1");
    });
  }

  it("restarts an instance that ended by itself, whatever its status, and tells it", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    await ask(address, { path: "/crash" }).catch(() => undefined);
    const after = await trial.reaches("shop.v1.web.1", "has ended", ({ ends }) => ends > 0);
    expect(after).to.include({ ends: 1, lastEnd: "status 3" });
    const again = await trial.reaches("shop.v1.web.1", "runs again", ({ running }) => running);
    expect((await answerAt(again.address)).body).to.equal("v1 web.1");
    await trial.start(trial.worker("exit 0"));
    const done = await trial.reaches("shop.v1.worker.1", "has ended twice", ({ ends }) => ends > 1);
    expect(done.lastEnd).to.equal("status 0");
  });

  trial.itIf("pausesGrow")("waits longer each time with one that keeps ending", async () => {
    await trial.start(trial.worker(`date +%s%3N >>${trial.path("starts")}; exit 1`));
    const starts = await eventually(
      "five starts",
      async () => {
        const times = (await readFile(trial.path("starts"), "utf8")).trim().split("\n").map(Number);
        return times.length >= 5 && times.slice(0, 5);
      },
      25_000,
    );
    const pauses = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    // A busy machine makes pauses longer, hardly all of them.
    expect(pauses.at(-1)).to.be.greaterThan(2 * Math.min(...pauses));
  });

  it("does not call one running that waits for its next try", async () => {
    await trial.start(trial.worker("exit 1"));
    const ended = ({ ends, running }: { ends: number; running: boolean }): boolean => ends >= 2 && !running;
    await trial.reaches("shop.v1.worker.1", "waits", ended);
  });

  trial.itIf("countsMemory")("tells in its state and its log that one ended for want of memory", async () => {
    const limits = { ...LIMITS, memoryMegabytes: 64 };
    const hungry = `node -e 'for (const all = []; ;) all.push(Buffer.alloc(1e7, 1))'`;
    await trial.start(trial.worker(`echo hungry; ${hungry}`, { limits }));
    const { lastEnd } = await trial.reaches("shop.v1.worker.1", "has ended", ({ ends }) => ends > 0);
    expect(lastEnd).to.equal("killed by SIGKILL, out of memory");
    expect(await trial.said("shop.v1.worker.1", "sluice: ended, out of memory; its limit is 64 MB")).to.equal(
      "(sluice.memoryMegabytes in app.json)",
    );
    expect((await trial.logOf("shop.v1.worker.1"))[0]).to.equal("hungry");
  });

  it("takes what is left of an instance's processes along before it starts them again", async () => {
    const command = 'trap "" TERM; sleep 1000 & echo "child $!"; exec sleep 1000';
    await trial.start(trial.worker(command));
    const child = await trial.processOf(await trial.said("shop.v1.worker.1", "child"));
    await trial.kill(await trial.reaches("shop.v1.worker.1", "runs", ({ running }) => running));
    await trial.reaches("shop.v1.worker.1", "runs again", ({ ends, running }) => ends === 1 && running);
    expect(await isAlive(child)).to.equal(false);
  });
}
