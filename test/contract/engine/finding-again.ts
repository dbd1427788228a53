import { expect } from "chai";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { answerAt, type EngineTrial } from "./engine-trial.js";

export function findsThemAgain(trial: EngineTrial): void {
  it("finds every instance as it was", async () => {
    const web = await trial.start(trial.web());
    const listen = trial.traits.sharesFiles ? "socket" : "port";
    const socket = await trial.start(trial.web({ id: "shop.v1.web.2", listen }));
    await trial.start(trial.worker("exec sleep 1000"));
    await answerAt(web.address);
    await answerAt(socket.address);
    await trial.reaches("shop.v1.worker.1", "runs", ({ running }) => running);
    const before = await trial.engine.list();
    const again = await trial.engineAgain();
    expect(await again.list()).to.have.deep.members(before);
    expect(await trial.start(trial.web(), again)).to.deep.equal(web);
    const second = trial.web({ id: "shop.v1.web.2", listen });
    expect(await trial.start(second, again)).to.deep.equal(socket);
    expect(await again.list()).to.have.deep.members(before);
  });

  it("goes on keeping it running, counting and logging", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    const again = await trial.engineAgain();
    await ask(address, { path: "/crash" }).catch(() => undefined);
    const after = await trial.reaches(
      "shop.v1.web.1",
      "runs again",
      ({ ends, running }) => ends === 1 && running,
    );
    await answerAt(after.address);
    expect(await again.state("shop.v1.web.1")).to.include({ ends: 1, lastEnd: "status 3" });
    await eventually("both starts are in the log", async () => {
      const lines: string[] = [];
      const signal = new AbortController().signal;
      for await (const { text } of trial.logs.read("shop.v1.web.1", { lines: 10, follow: false, signal }))
        lines.push(text);
      expect(lines.filter((line) => line.startsWith("listening"))).to.have.length(2);
      return true;
    });
  });

  it("gives no instance a port that one of them has, though it may not listen at the moment", async () => {
    const silent = { command: "exec sleep 1000" };
    const { address } = await trial.start(trial.web(silent));
    const again = await trial.engineAgain();
    const ids = Array.from({ length: 19 }, (_, index) => `shop.v2.web.${index + 1}`);
    const started = await Promise.all(
      ids.map(async (id) => trial.start(trial.web({ id, ...silent }), again)),
    );
    const all = [address, ...started.map((instance) => instance.address)];
    expect(new Set(all).size).to.equal(20);
  });

  it("can stop what another engine has started", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    const again = await trial.engineAgain();
    await again.stop("shop.v1.web.1", 10);
    expect(await again.list()).to.deep.equal([]);
    expect(await ask(address).catch((error: unknown) => String(error))).to.match(/ECONNREFUSED|EHOSTUNREACH/);
  });
}
