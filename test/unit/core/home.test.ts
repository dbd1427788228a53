import { expect } from "chai";
import { Home } from "../../../core/home.js";

describe("the state folder", () => {
  it("has a control socket as long as its path is short enough for one", () => {
    const longest = `/${"x".repeat(93)}`;
    expect(new Home(longest).controlSocket()).to.have.lengthOf(107);
    expect(new Home(`${longest}x`).controlSocket()).to.equal(undefined);
    // Bytes count, not letters.
    expect(new Home(`/${"ä".repeat(60)}`).controlSocket()).to.equal(undefined);
  });
});
