import { expect } from "chai";
import { deferred } from "../../../../core/async/deferred.js";

describe("a deferred promise", () => {
  it("is settled by whoever has it in hand, once", async () => {
    const kept = deferred<number>();
    kept.resolve(1);
    kept.resolve(2);
    kept.reject(new Error("too late"));
    expect(await kept.promise).to.equal(1);
    const broken = deferred<number>();
    broken.reject(new Error("no"));
    expect(await broken.promise.catch((error: unknown) => String(error))).to.equal("Error: no");
  });
});
