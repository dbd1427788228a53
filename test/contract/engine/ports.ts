import { expect } from "chai";
import { createServer } from "node:net";
import { isAppError } from "../../../core/errors/app-error.js";
import { freeRange } from "../../support/network/free-range.js";
import { answerAt, type EngineTrial } from "./engine-trial.js";

export function handsOutPorts(trial: EngineTrial): void {
  it("never gives a port to two instances, however many are started at once", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `shop.v1.web.${index + 1}`);
    const started = await Promise.all(
      ids.map(async (id) => trial.start(trial.web({ id, command: "exec sleep 1000" }))),
    );
    const { first } = trial.ports;
    const range = ids.map((_, index) => `127.0.0.1:${first + index}`);
    expect(started.map(({ address }) => address)).to.have.members(range);
  });

  for (const host of ["127.0.0.1", "0.0.0.0", "::"]) {
    it(`leaves out a port on which a stranger listens at ${host}`, async () => {
      await trial.useRange(await freeRange(2));
      const { first, last } = trial.ports;
      const stranger = createServer();
      await new Promise<void>((resolve) => stranger.listen(first, host, resolve));
      try {
        const { address } = await trial.start(trial.web());
        expect(address).to.equal(`127.0.0.1:${last}`);
        expect((await answerAt(address)).status).to.equal(200);
      } finally {
        stranger.close();
      }
    });
  }

  it("says when no port is free, and starts nothing", async () => {
    await trial.useRange(await freeRange(1));
    await trial.start(trial.web());
    const error: unknown = await trial.engine
      .start(trial.web({ id: "shop.v1.web.2" }))
      .catch((reason: unknown) => reason);
    expect(isAppError(error, "no-free-port"), String(error)).to.equal(true);
    expect((await trial.engine.list()).map(({ id }) => id)).to.deep.equal(["shop.v1.web.1"]);
    // One that needs none can be started all the same.
    await trial.start(trial.worker("exec sleep 1000"));
  });
}
