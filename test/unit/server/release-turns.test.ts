import { expect } from "chai";
import { deferred } from "../../../core/deferred.js";
import { ReleaseTurns } from "../../../server/releases/release-turns.js";

describe("turns of a release", () => {
  it("come one after the other, whatever became of those before", async () => {
    const turns = new ReleaseTurns();
    const done: string[] = [];
    const first = deferred<undefined>();
    const one = turns.take("shop", 1, async () => {
      await first.promise;
      done.push("one");
      throw new Error("it failed");
    });
    let waited = 0;
    const two = turns.take(
      "shop",
      1,
      async () => {
        done.push("two");
        return 2;
      },
      () => waited++,
    );
    await turns.take("shop", 2, async () => done.push("another release"));
    expect([done, waited]).to.deep.equal([["another release"], 1]);
    first.resolve(undefined);
    expect(await one.catch((error: unknown) => (error as Error).message)).to.equal("it failed");
    expect(await two).to.equal(2);
    expect(done).to.deep.equal(["another release", "one", "two"]);
  });

  it("are free again when nobody has one", async () => {
    const turns = new ReleaseTurns();
    await turns.take("shop", 1, async () => undefined);
    let waited = 0;
    await turns.take(
      "shop",
      1,
      async () => undefined,
      () => waited++,
    );
    expect(waited).to.equal(0);
  });
});
