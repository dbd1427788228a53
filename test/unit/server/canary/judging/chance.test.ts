import { expect } from "chai";
import { emptyRouteTable, type RouteTable } from "../../../../../core/records/routes/route-table.js";
import { chanceOf } from "../../../../../server/canary/judging/chance.js";

describe("the chance of a visitor to be the canary's", () => {
  const table = (share: number, tracks: RouteTable["tracks"] = { production: 1, canary: 2 }): RouteTable => ({
    ...emptyRouteTable("shop"),
    tracks,
    canary: { share, isManual: false },
  });
  const withBaseline = { production: 1, canary: 2, baseline: 1 };

  it("is its share where it is compared with production", () => {
    expect([30, 0.01, 50, 100].map((share) => chanceOf(table(share), { baseline: false }))).to.deep.equal([
      ...[0.3, 0.0001, 0.5, 1],
    ]);
  });

  it("is a half where it is compared with the baseline, which gets as many visitors", () => {
    expect(
      [5, 30, 50].map((share) => chanceOf(table(share, withBaseline), { baseline: true })),
    ).to.deep.equal([0.5, 0.5, 0.5]);
  });

  it("is more than a half where fewer are left for the baseline", () => {
    expect(chanceOf(table(80, withBaseline), { baseline: true })).to.equal(0.8);
  });

  it("is 0 or 1 where there is nothing to compare with", () => {
    expect(chanceOf(table(0), { baseline: false })).to.equal(0);
    expect(chanceOf(table(0, withBaseline), { baseline: true })).to.equal(0);
    expect(chanceOf(table(30), { baseline: true })).to.equal(1);
    expect(chanceOf(table(30, { canary: 2 }), { baseline: false })).to.equal(1);
  });
});
