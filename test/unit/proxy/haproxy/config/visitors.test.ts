import { expect } from "chai";
import type { AppRoutes, Split } from "../../../../../proxy/proxy.js";
import { visitorsOf } from "../../../../../proxy/haproxy/config/visitors.js";

describe("the visitors about whom nothing is left to decide", () => {
  const visitors = (split: Partial<Split> | undefined, sticky = false): Record<string, string> => {
    const release = { servers: new Map<string, string>(), sticky, asleep: false };
    const none = { baseline: undefined, header: undefined, goal: undefined, slow: undefined };
    const whole = { canary: "a/v2", share: 30, ...none };
    const routes: AppRoutes = {
      hosts: new Map(),
      tracks: new Map([["a/production", "a/v1"]]),
      https: new Map(),
      guards: new Map(),
      errorPage: undefined,
      accessLog: false,
      splits: new Map(split === undefined ? [] : [["a/production", { ...whole, ...split }]]),
      releases: new Map(["a/v1", "a/v2", "a/v3"].map((name) => [name, { ...release, track: "x" }])),
    };
    const found = visitorsOf(routes, new Map([1, 2, 3].map((number) => [`a/v${number}`, entryOf(number)])));
    for (const number of [1, 2, 3]) {
      expect(found.get(`a/v${number}|`)).to.equal(`a/v${number}|slot-${number}|x|asked|v${number}`);
      found.delete(`a/v${number}|`);
    }
    return Object.fromEntries(found);
  };

  it("are all without a cookie where nobody is split, and those whose cookie is right", () => {
    expect(visitors(undefined)).to.deep.equal({
      "a/production|": entryOf(1),
      "a/production|production.v1": entryOf(1),
    });
    expect(visitors(undefined, true)).to.deep.equal({ "a/production|production.v1": entryOf(1) });
  });

  it("are those of either side of a split, but nobody who is to throw dice yet", () => {
    expect(visitors({ baseline: "a/v3" })).to.deep.equal({
      "a/production|production.v1": entryOf(1),
      "a/production|production.v1.v2-3000": entryOf(1),
      "a/production|canary.v2": entryOf(2),
      "a/production|canary.v2.v2-3000": entryOf(2),
      "a/production|baseline.v3": entryOf(3),
      "a/production|baseline.v3.v2-3000": entryOf(3),
    });
  });

  it("are none of the canary's while it takes nobody", () => {
    expect(visitors({ share: 0 })).to.deep.equal(visitors(undefined));
    expect(visitors({ canary: undefined, share: 0 })).to.deep.equal(visitors(undefined));
  });

  it("are none where a header of the app's own or a goal may matter", () => {
    expect(visitors({ header: "x-side" })).to.deep.equal({});
    expect(visitors({ goal: "/thanks" })).to.deep.equal({});
  });

  it("are none of a release that has no slot yet", () => {
    const tracks = new Map([["a/production", "a/v1"]]);
    const routes: AppRoutes = {
      hosts: new Map(),
      tracks,
      splits: new Map(),
      releases: new Map(),
      https: new Map(),
      guards: new Map(),
      errorPage: undefined,
      accessLog: false,
    };
    expect([...visitorsOf(routes, new Map())]).to.deep.equal([]);
  });
});

function entryOf(number: number): string {
  return `a/v${number}|slot-${number}|x|free|v${number}`;
}
