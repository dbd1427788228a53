import { expect } from "chai";
import { sparkline } from "../../../../cli/show/sparkline.js";

describe("a small chart", () => {
  it("has a bar for each value, from nothing to the top", () => {
    expect(sparkline([0, 13, 25, 38, 50, 63, 75, 88, 100], 100, 9)).to.equal("▁▂▃▄▅▆▇██");
  });

  it("has the last values on the right, and gaps where there are none", () => {
    expect(sparkline([100, 0, undefined, 100], 100, 3)).to.equal("▁ █");
    expect(sparkline([0], 100, 3)).to.equal("  ▁");
  });

  it("stays within its bars, whatever the values are", () => {
    expect(sparkline([-5, 500, Number.NaN], 100, 3)).to.equal("▁█▁");
    expect(sparkline([0], 0, 1)).to.equal("▁");
  });
});
