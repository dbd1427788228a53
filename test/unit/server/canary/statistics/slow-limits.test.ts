import { expect } from "chai";
import {
  bucketOf,
  bucketRange,
  BUCKETS_PER_OCTAVE,
} from "../../../../../core/records/traffic/latency-buckets.js";
import { slowLimits, tolerated } from "../../../../../server/canary/statistics/slow-limits.js";

describe("the limits of slow answers", () => {
  it("are the p90 and p99 of production, and for the canary these with the tolerance", () => {
    const production = new Map([
      [60, 90],
      [70, 9],
      [80, 1],
    ]);
    expect(slowLimits(production)).to.deep.equal({
      production: [60, 70],
      canary: [tolerated(60), tolerated(70)],
    });
  });

  it("are not known before production had a hundred answers", () => {
    expect(slowLimits(new Map([[60, 99]]))).to.equal(undefined);
    expect(slowLimits(new Map([[60, 100]]))?.production).to.deep.equal([60, 60]);
  });

  it("tolerate a factor, in whole buckets", () => {
    const above = (factor: number): number => tolerated(100, { factor, ms: 0 }) - 100;
    expect([1, 1.25, 2].map(above)).to.deep.equal([0, 3, BUCKETS_PER_OCTAVE]);
  });

  it("tolerate what nobody notices: 5 ms more, however much that is beside production", () => {
    const { to } = bucketRange(10);
    expect(bucketRange(tolerated(10)).from).to.be.at.most(to + 5000);
    expect(bucketRange(tolerated(10)).to).to.be.above(to + 5000);
    expect(tolerated(bucketOf(200_000))).to.equal(bucketOf(200_000) + 3);
  });
});
