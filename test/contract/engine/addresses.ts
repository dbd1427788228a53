import { expect } from "chai";
import { answerAt, type EngineTrial } from "./engine-trial.js";

export function handsOutAddresses(trial: EngineTrial): void {
  it("never gives an address to two instances, however many are started at once", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `shop.v1.web.${index + 1}`);
    const started = await Promise.all(
      ids.map(async (id) => trial.start(trial.web({ id, command: "exec sleep 1000" }))),
    );
    expect(new Set(started.map(({ address }) => address)).size).to.equal(ids.length);
  });

  trial.itIf("keepsAddresses")("keeps an instance's address over its crashes", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address, "/crash").catch(() => undefined);
    await trial.reaches("shop.v1.web.1", "runs again", ({ ends, running }) => ends > 0 && running);
    expect((await answerAt(address)).status).to.equal(200);
    expect((await trial.engine.state("shop.v1.web.1"))?.address).to.equal(address);
  });
}
