import { expect } from "chai";
import { emptyRouteTable, type RouteTable } from "../../../core/records/routes/route-table.js";
import { routesOf, type RoutesContext } from "../../../proxy/routes-of.js";

/** Without a certificate. */
const at = (domain: string, isAlert: boolean): RoutesContext => ({
  domain,
  isAlert,
  covered: () => undefined,
  errorPage: undefined,
});

describe("the routes of a table", () => {
  const release = (number: number, track: string) => ({
    number,
    track,
    sticky: false,
    asleep: false,
    sleepSeconds: 0,
    expireSeconds: 0,
    since: 0,
    drainSeconds: 1,
    standbySeconds: 1,
    sessionIdleSeconds: 1,
    servers: [{ id: `a.v${number}.web.1`, address: `127.0.0.1:${number}` }],
  });
  const table: RouteTable = {
    ...emptyRouteTable("a"),
    tracks: { production: 2, feature: 3 },
    releases: [release(1, "production"), release(2, "production"), release(3, "feature")],
  };

  it("lead each host to its track, and each release's own host to it", () => {
    const { hosts, tracks, releases } = routesOf(table, at("example.com", false));
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

  it("lead the app's own domains too, and below a wildcard all that is below the app's usual host", () => {
    const domains = [
      { name: "example.org" },
      { name: "www.example.org", redirectTo: "example.org" },
      { name: "*.example.net" },
      { name: "feature.example.net" },
    ];
    const { hosts } = routesOf({ ...table, domains }, at("example.com", false));
    const own = [...hosts].filter(([name]) => !name.endsWith("example.com"));
    expect(Object.fromEntries(own)).to.deep.equal({
      "example.org": "a/production",
      "www.example.org": "a/@example.org",
      "*.example.net": "a/production",
      "feature.example.net": "a/production",
      "v1.example.net": "a/v1",
      "v2.example.net": "a/v2",
      "v3.example.net": "a/v3",
    });
  });

  it("know the host of an app that has nothing live yet", () => {
    expect([...routesOf({ ...table, tracks: {}, releases: [] }, at("x", false)).hosts.keys()]).to.deep.equal([
      "a.x",
    ]);
  });

  it("name a server by its instance, and by its port too: on another one it is another server", () => {
    const servers = [
      { id: "a.v1.web.1", address: "127.0.0.1:20001" },
      { id: "a.v1.web.2", address: "unix@/run/a.v1.web.2.sock" },
      { id: "a.v1.web.3", address: "10.0.0.7:3000" },
    ];
    const { releases } = routesOf(
      { ...table, releases: [{ ...release(1, "production"), servers }] },
      at("x", false),
    );
    expect([...(releases.get("a/v1")?.servers ?? [])]).to.deep.equal([
      ["a.v1.web.1:20001", "127.0.0.1:20001"],
      ["a.v1.web.2", "unix@/run/a.v1.web.2.sock"],
      ["a.v1.web.3:3000", "10.0.0.7:3000"],
    ]);
  });

  it("tell visitors the track that a release was made for, and whether it keeps them", () => {
    const { releases } = routesOf(
      { ...table, releases: [{ ...release(3, "feature"), sticky: true }] },
      at("x", false),
    );
    expect(releases.get("a/v3")).to.include({ track: "feature", sticky: true });
  });

  it("lead to nothing that is not there: a track's release, a host's target", () => {
    const { hosts, tracks, releases } = routesOf(table, at("example.com", false));
    for (const target of hosts.values())
      expect(tracks.has(target) || releases.has(target), target).to.equal(true);
    for (const served of tracks.values()) expect(releases.has(served), served).to.equal(true);
  });

  describe("guard what not everybody may visit", () => {
    const previewPassword = { salt: "s", hash: "h" };
    const guards = (more: Partial<RouteTable>): unknown =>
      Object.fromEntries(
        [...routesOf({ ...table, ...more }, at("x", false)).guards].map(([target, guard]) => [
          target,
          guard.password === undefined ? guard.addresses : "password",
        ]),
      );
    const all = (of: unknown): object => ({ "a/feature": of, "a/v1": of, "a/v2": of, "a/v3": of });

    it("nothing, unless the app asks for it", () => {
      expect(guards({})).to.deep.equal({});
    });

    it("whatever is not production by the password of previews", () => {
      expect(guards({ previewPassword })).to.deep.equal(all("password"));
    });

    it("all by the app's addresses, or by those of previews in their place", () => {
      const access = { allowAddresses: ["192.0.2.1"], previewAddresses: ["192.0.2.2"] };
      expect(guards({ access })).to.deep.equal({ "a/production": ["192.0.2.1"], ...all(["192.0.2.2"]) });
      expect(guards({ access: { ...access, previewAddresses: [] } })).to.deep.equal({
        ...{ "a/production": ["192.0.2.1"], ...all(["192.0.2.1"]) },
      });
      expect(guards({ access: { ...access, allowAddresses: [] } })).to.deep.equal(all(["192.0.2.2"]));
    });

    it("all by the app's limits", () => {
      const limits = { connections: 3 };
      const { guards: found } = routesOf({ ...table, limits }, at("x", false));
      expect([...found.values()].map((guard) => guard.limits)).to.deep.equal(Array(5).fill(limits));
    });

    it("no host that sends its visitors on", () => {
      const domains = [{ name: "b.org" }, { name: "www.b.org", redirectTo: "b.org" }];
      expect(guards({ domains, previewPassword })).to.deep.equal(all("password"));
    });
  });

  describe("split production's visitors", () => {
    const split = (more: Partial<RouteTable>, isAlert = false): unknown =>
      routesOf({ ...table, ...more }, at("x", isAlert)).splits.get("a/production");
    const canary = { share: 25, isManual: false };
    const both = { tracks: { production: 2, canary: 3 }, canary };

    it("when there is a canary, or a header of the app's own", () => {
      expect(split({})).to.equal(undefined);
      const plain = { header: undefined, goal: undefined, baseline: undefined, slow: undefined };
      expect(split(both)).to.deep.equal({ canary: "a/v3", share: 25, ...plain });
      expect(split({ modeHeader: "x-side" })).to.deep.include({
        canary: undefined,
        share: 0,
        header: "x-side",
      });
      expect(split({ ...both, canary: { ...canary, goal: "/thanks" } })).to.deep.include({ goal: "/thanks" });
      const slow = { canary: [50, 90], production: [40, 80] };
      expect(split({ ...both, canary: { ...canary, slow } })).to.deep.include({ slow });
      const three = { production: 2, canary: 3, baseline: 4 };
      expect(split({ ...both, tracks: three })).to.deep.include({ baseline: "a/v4" });
    });

    it("by the header that the canary names while there is one, else by production's", () => {
      const named = { ...both, modeHeader: "x-side", canary: { ...canary, header: "x-new" } };
      expect(split(named)).to.deep.include({ header: "x-new" });
      expect(split({ ...both, modeHeader: "x-side" })).to.deep.include({ header: undefined });
    });

    it("not while there is an alert; without production all go to the canary", () => {
      expect(split(both, true)).to.deep.include({ canary: "a/v3", share: 0 });
      expect(split({ tracks: { canary: 3 }, canary })).to.deep.include({ share: 100 });
    });
  });
});
