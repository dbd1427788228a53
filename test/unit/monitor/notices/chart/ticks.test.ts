import { expect } from "chai";
import fc from "fast-check";
import { shortNumber, ticks, timeTicks } from "../../../../../monitor/notices/chart/ticks.js";

describe("the ticks of a chart", () => {
  it("are numbers that are easily read", () => {
    expect(ticks(100, 4)).to.deep.equal([0, 25, 50, 75, 100]);
    expect(ticks(2_700_000, 4)).to.deep.equal([0, 1e6, 2e6, 3e6]);
    expect(ticks(0.9, 4)).to.deep.equal([0, 0.25, 0.5, 0.75, 1]);
    expect(ticks(0, 4)).to.deep.equal([0, 0.25, 0.5, 0.75, 1]);
  });

  it("reach the top in at most so many steps, whatever the values", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e15, noNaN: true }), (top) => {
        const found = ticks(top, 4);
        expect(found[0]).to.equal(0);
        expect(found.length).to.be.within(2, 5);
        expect(found.at(-1)).to.be.at.least(top * (1 - 1e-6));
      }),
    );
  });

  it("are written short", () => {
    expect([0, 0.25, 100, 999, 2500, 1_500_000, 2e9].map(shortNumber)).to.deep.equal([
      "0",
      "0.25",
      "100",
      "999",
      "2.5k",
      "1.5M",
      "2G",
    ]);
  });

  it("stand at full five minutes", () => {
    const from = Date.parse("2026-01-31T10:16:05Z");
    const texts = timeTicks(from, from + 900_000).map((at) => new Date(at).toISOString().slice(11, 19));
    expect(texts).to.deep.equal(["10:20:00", "10:25:00", "10:30:00"]);
  });
});
