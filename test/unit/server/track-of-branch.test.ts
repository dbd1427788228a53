import { expect } from "chai";
import fc from "fast-check";
import { trackOfBranch } from "../../../server/releases/track-of-branch.js";

describe("the track of a branch", () => {
  it("is production for master and main, the canary for staging", () => {
    expect([trackOfBranch("master"), trackOfBranch("main"), trackOfBranch("staging")]).to.deep.equal([
      "production",
      "production",
      "canary",
    ]);
  });

  it("is a preview's name for others: the branch itself where that is a DNS label", () => {
    expect(trackOfBranch("new-cart")).to.equal("new-cart");
    expect(trackOfBranch("Feature/Cart_2")).to.match(/^feature-cart-2-[0-9a-f]{6}$/);
    for (const taken of ["production", "canary", "baseline", "v42"])
      expect(trackOfBranch(taken)).to.match(new RegExp(`^${taken}-[0-9a-f]{6}$`));
  });

  it("is always a DNS label, and two branches never share one", () => {
    const branch = fc.string({
      unit: fc.constantFrom("a", "b", "A", "B", "0", "1", "-", "_", ".", "/"),
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(branch, fc.oneof(branch, branch.map(trackOfBranch)), (a, b) => {
        fc.pre(!["master", "main", "staging"].includes(a) && a !== b);
        expect(trackOfBranch(a)).to.match(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);
        expect(trackOfBranch(a)).not.to.equal(trackOfBranch(b));
      }),
      { numRuns: 2000 },
    );
  });
});
