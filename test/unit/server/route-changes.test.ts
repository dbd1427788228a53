import { expect } from "chai";
import type { ReleaseRecord } from "../../../core/records/release-record.js";
import { emptyRouteTable } from "../../../core/records/route-table.js";
import {
  withLive,
  withRelease,
  withoutRelease,
  withoutTrack,
  withoutUnvisited,
} from "../../../server/releases/route-changes.js";

const record = (number: number, track = "production"): ReleaseRecord => ({
  v: 1,
  app: "a",
  number,
  commit: "c",
  branch: "master",
  track,
  phase: "healthy",
  source: "push",
  order: "deploy",
  by: "x",
  at: "",
  reachedAt: {},
  processes: [],
  instances: [
    { id: `a.v${number}.web.1`, process: "web", index: 1, address: `127.0.0.1:${20_000 + number}` },
    { id: `a.v${number}.worker.1`, process: "worker", index: 1 },
  ],
  traffic: {
    sticky: false,
    listen: "port",
    drainSeconds: 1,
    standbySeconds: 2,
    sessionIdleSeconds: 3,
    memoryMegabytes: 4,
  },
});

describe("a route table", () => {
  const one = withLive(emptyRouteTable("a"), record(1), 100);
  const two = withLive(withRelease(one, record(2)), record(2), 200);

  it("knows a release by name before it serves, with the servers that have an address", () => {
    const table = withRelease(one, record(2));
    expect(table.tracks).to.deep.equal({ production: 1 });
    expect(table.releases.map(({ number, servers }) => [number, servers.length])).to.deep.equal([
      [1, 1],
      [2, 1],
    ]);
  });

  it("switches a track and marks the one it replaces, once", () => {
    expect(two.tracks).to.deep.equal({ production: 2 });
    expect(two.releases.map(({ number, replacedAt }) => [number, replacedAt])).to.deep.equal([
      [1, 200],
      [2, undefined],
    ]);
    expect(withLive(two, record(2), 300)).to.deep.equal(two);
  });

  it("switches back: the mark moves to the other", () => {
    const back = withLive(two, record(1), 300);
    expect(back.releases.map(({ number, replacedAt }) => [number, replacedAt])).to.deep.equal([
      [1, undefined],
      [2, 300],
    ]);
  });

  it("lets a failed release go, but none that is visited", () => {
    expect(withoutUnvisited(withRelease(one, record(2)), 2)).to.deep.equal(one);
    expect(withoutUnvisited(two, 1)).to.equal(two);
    expect(withoutUnvisited(two, 2)).to.equal(two);
    expect(withRelease(two, record(1)).releases[0]?.replacedAt).to.equal(200);
  });

  it("loses a track with its branch, and a release with its retirement", () => {
    const preview = withLive(two, record(3, "feature"), 250);
    const gone = withoutTrack(preview, "feature", 400);
    expect(gone.tracks).to.deep.equal({ production: 2 });
    expect(gone.releases.find(({ number }) => number === 3)).to.include({
      replacedAt: 400,
      standbySeconds: 0,
    });
    expect(withoutRelease(gone, 3).releases.map(({ number }) => number)).to.deep.equal([1, 2]);
  });
});
