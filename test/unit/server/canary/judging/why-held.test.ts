import { expect } from "chai";
import { emptyRouteTable, type RouteTable } from "../../../../../core/records/routes/route-table.js";
import { whyHeld } from "../../../../../server/canary/judging/why-held.js";

describe("nothing is decided about a canary", () => {
  const table = (share: number, tracks: RouteTable["tracks"] = { production: 1, canary: 2 }): RouteTable => ({
    ...emptyRouteTable("shop"),
    tracks,
    canary: { share, isManual: false },
  });

  it("while there is an alert", () => {
    expect(whyHeld(table(30), true)).to.match(/alert/);
    expect(whyHeld(table(30, { canary: 2 }), true)).to.equal(undefined);
  });

  it("while its share is 0, unless it has all visitors because there is no production", () => {
    expect(whyHeld(table(0), false)).to.match(/its share is 0/);
    expect(whyHeld(table(0, { canary: 2 }), false)).to.equal(undefined);
    expect(whyHeld(table(0.01), false)).to.equal(undefined);
  });
});
