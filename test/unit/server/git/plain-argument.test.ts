import { expect } from "chai";
import { plainArgument } from "../../../../server/git/plain-argument.js";

describe("plainArgument", () => {
  it("returns commits and refs as they are", () => {
    for (const value of ["0123abc", "refs/heads/a-b", ""]) expect(plainArgument(value)).to.equal(value);
  });

  it("refuses what git would take for an option", () => {
    for (const value of ["-", "--output=file", "-d"])
      expect(() => plainArgument(value)).to.throw("expects a name");
  });
});
