import { expect } from "chai";
import type { RouteTable } from "../../../core/records/route-table.js";
import { routesOf } from "../../../proxy/routes-of.js";

describe("the routes of a table", () => {
  const release = (number: number, track: string) => ({
    number,
    track,
    sticky: false,
    drainSeconds: 1,
    standbySeconds: 1,
    sessionIdleSeconds: 1,
    servers: [{ id: `a.v${number}.web.1`, address: `127.0.0.1:${number}` }],
  });
  const table: RouteTable = {
    v: 1,
    app: "a",
    tracks: { production: 2, feature: 3 },
    releases: [release(1, "production"), release(2, "production"), release(3, "feature")],
  };

  it("lead each host to its track, and each release's own host to it", () => {
    const { hosts, tracks, releases } = routesOf(table, "example.com");
    expect(Object.fromEntries(hosts)).to.deep.equal({
      "a.example.com": "a/production",
      "feature.a.example.com": "a/feature",
      "v1.a.example.com": "a/v1",
      "v2.a.example.com": "a/v2",
      "v3.a.example.com": "a/v3",
    });
    expect(Object.fromEntries(tracks)).to.deep.equal({ "a/production": "a/v2", "a/feature": "a/v3" });
    expect([...(releases.get("a/v1")?.servers ?? [])]).to.deep.equal([["a.v1.web.1:1", "127.0.0.1:1"]]);
  });

  it("know the host of an app that has nothing live yet", () => {
    expect([...routesOf({ ...table, tracks: {}, releases: [] }, "x").hosts.keys()]).to.deep.equal(["a.x"]);
  });
});
