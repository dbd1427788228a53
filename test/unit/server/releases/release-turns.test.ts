import { expect } from "chai";
import { deferred } from "../../../../core/async/deferred.js";
import { ReleaseTurns } from "../../../../server/releases/release-turns.js";

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

  it("of three come one after the other, whichever is through when the next one asks", async () => {
    const turns = new ReleaseTurns();
    const done: string[] = [];
    const ends = [deferred<undefined>(), deferred<undefined>(), deferred<undefined>()];
    const take = async (index: number): Promise<void> =>
      turns.take("shop", 1, async () => {
        done.push(`${index} begins`);
        await ends[index]?.promise;
        done.push(`${index} ends`);
      });
    const first = take(0);
    const second = take(1);
    const third = take(2);
    ends[0]?.resolve(undefined);
    await first;
    ends[2]?.resolve(undefined);
    // The second has its turn; one that asks now comes behind all who wait.
    const last = turns.take("shop", 1, async () => done.push("last"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).to.deep.equal(["0 begins", "0 ends", "1 begins"]);
    ends[1]?.resolve(undefined);
    await Promise.all([second, third, last]);
    expect(done.slice(2)).to.deep.equal(["1 begins", "1 ends", "2 begins", "2 ends", "last"]);
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
