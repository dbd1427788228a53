import { expect } from "chai";
import fc from "fast-check";
import { countIn, quantileBucket } from "../../../../../server/canary/statistics/quantile.js";

describe("a quantile of a histogram", () => {
  it("is the value of its rank among all values in order", () => {
    const counts = fc.dictionary(fc.nat(60).map(String), fc.nat(20));
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 100 }), (dictionary, percent) => {
        const histogram = new Map(
          Object.entries(dictionary).map(([bucket, count]) => [Number(bucket), count] as const),
        );
        const values = [...histogram].flatMap(([bucket, count]) => Array<number>(count).fill(bucket));
        // In whole numbers, so that no rounding is shared with what is tested.
        const rank = Math.max(1, Math.ceil((percent * values.length) / 100));
        expect(quantileBucket(histogram, percent / 100)).to.equal(values.sort((a, b) => a - b)[rank - 1]);
        expect(countIn(histogram)).to.equal(values.length);
      }),
    );
  });

  it("is not put off by shares that are a little more in binary", () => {
    const hundred = new Map(Array.from({ length: 100 }, (_, index) => [index + 1, 1]));
    for (let percent = 1; percent <= 100; percent++)
      expect(quantileBucket(hundred, percent / 100)).to.equal(percent);
  });

  it("is none when there are no values", () => {
    expect(quantileBucket(new Map(), 0.5)).to.equal(undefined);
    expect(quantileBucket(new Map([[3, 0]]), 0.5)).to.equal(undefined);
  });
});
