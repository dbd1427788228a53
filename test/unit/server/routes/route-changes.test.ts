import { expect } from "chai";
import { canarySettingsSchema } from "../../../../core/records/releases/canary-settings.js";
import fc from "fast-check";
import type { ReleaseRecord } from "../../../../core/records/releases/release-record.js";
import {
  emptyRouteTable,
  routeTableSchema,
  type RouteTable,
} from "../../../../core/records/routes/route-table.js";
import {
  withAsleep,
  withFewerPreviews,
  withInstances,
  withLive,
  withRelease,
  withShare,
  withoutCanary,
  withoutRelease,
  withoutTrack,
  withoutUnvisited,
  withoutVisitors,
} from "../../../../server/routes/route-changes.js";

const record = (number: number, track = "production"): ReleaseRecord => ({
  v: 1,
  app: "a",
  number,
  commit: "c",
  branch: "master",
  track,
  phase: "healthy",
  source: "push",
  steps: "deploy",
  by: "x",
  at: "",
  reachedAt: {},
  processes: [],
  instances: [
    { id: `a.v${number}.web.1`, process: "web", index: 1, address: `127.0.0.1:${20_000 + number}` },
    { id: `a.v${number}.worker.1`, process: "worker", index: 1 },
  ],
  canary: canarySettingsSchema.parse({}),
  previewEnv: {},
  artifact: { kind: "tree" },
  serving: {
    sticky: false,
    listen: "port",
    drainSeconds: 1,
    standbySeconds: 2,
    sessionIdleSeconds: 3,
    memoryMegabytes: 4,
    sleepSeconds: 0,
    expireSeconds: 0,
  },
});

describe("a route table", () => {
  const one = withLive(emptyRouteTable("a"), record(1), 100);
  const two = withLive(withRelease(one, record(2), 50), record(2), 200);

  it("knows a release by name before it serves, with the servers that have an address", () => {
    const table = withRelease(one, record(2), 50);
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

  it("remembers what production had, without what was taken back", () => {
    const history = (...numbers: number[]): number[] =>
      numbers.reduce((table, number) => withLive(table, record(number), number), emptyRouteTable("a"))
        .history;
    expect(history(1, 2, 3)).to.deep.equal([1, 2, 3]);
    expect(history(1, 2, 2)).to.deep.equal([1, 2]);
    expect(history(1, 2, 1)).to.deep.equal([1]);
    expect(history(1, 2, 1, 3)).to.deep.equal([1, 3]);
    expect(history(1, 2, 3, 1, 3, 4)).to.deep.equal([1, 3, 4]);
    expect(withLive(two, record(3, "feature"), 250).history).to.deep.equal([1, 2]);
    // A table of before there was a history.
    expect(withLive({ ...two, history: [] }, record(3), 250).history).to.deep.equal([2, 3]);
  });

  it("lets a failed release go, but none that is visited", () => {
    expect(withoutUnvisited(withRelease(one, record(2), 50), 2)).to.deep.equal(one);
    expect(withoutUnvisited(two, 1)).to.equal(two);
    expect(withoutUnvisited(two, 2)).to.equal(two);
    expect(withRelease(two, record(1), 50).releases[0]?.replacedAt).to.equal(200);
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

  it("is closed to visitors of one release, and has the servers of one where they are now", () => {
    const sticky = { ...record(1), serving: { ...record(1).serving, sticky: true } };
    const table = withLive(withLive(emptyRouteTable("a"), sticky, 100), record(2), 200);
    const closed = withoutVisitors(table, 1);
    expect(closed.releases.map((release) => release.sticky)).to.deep.equal([false, false]);
    expect({ ...closed, releases: [] }).to.deep.equal({ ...table, releases: [] });
    const moved = {
      ...record(2),
      instances: [{ id: "a.v2.web.1", process: "web", index: 1, address: "unix@/a" }],
    };
    const there = withInstances(table, moved);
    expect(there.releases.map(({ servers }) => servers)).to.deep.equal([
      table.releases[0]?.servers,
      [{ id: "a.v2.web.1", address: "unix@/a" }],
    ]);
    expect(withInstances(table, record(7))).to.deep.equal(table);
  });

  describe("with a canary", () => {
    const canaryOf = (number: number, sticky = false): ReleaseRecord => {
      const made = record(number, "canary");
      return { ...made, serving: { ...made.serving, sticky } };
    };
    const split = withLive(one, canaryOf(2, true), 200);

    it("brings nobody back to an aborted one, whatever their cookie says", () => {
      expect(split.releases.find(({ number }) => number === 2)?.sticky).to.equal(true);
      const aborted = withoutCanary(split, 300);
      expect([aborted.tracks, aborted.canary]).to.deep.equal([{ production: 1 }, undefined]);
      expect(aborted.releases.find(({ number }) => number === 2)).to.include({
        ...{ sticky: false, replacedAt: 300, standbySeconds: 0 },
      });
    });

    it("keeps a share that an admin chose over the next canary, and no other", () => {
      expect(split.canary).to.include({ share: 30, isManual: false });
      const chosen = withShare(split, 7, true);
      expect(withLive(chosen, canaryOf(3), 300).canary).to.include({ share: 7, isManual: true });
      const raised = withShare(split, 60, false);
      expect(withLive(raised, canaryOf(3), 300).canary).to.include({ share: 30, isManual: false });
    });

    it("has none any more when it takes production", () => {
      const promoted = withLive(split, { ...canaryOf(2), track: "production" }, 300);
      expect([promoted.tracks, promoted.canary]).to.deep.equal([{ production: 2 }, undefined]);
    });
  });

  describe("with too many previews", () => {
    const previews = ["a", "b", "c"].reduce(
      (table, track, index) => withLive(table, record(index + 2, track), 200 + index),
      one,
    );
    const left = (table: RouteTable, kept: string, max = 2): string[] =>
      Object.keys(withFewerPreviews(table, max, kept, 900).tracks).sort();

    it("lets the one go that was made first", () => {
      expect(left(previews, "c")).to.deep.equal(["b", "c", "production"]);
      expect(left(previews, "c", 3)).to.deep.equal(["a", "b", "c", "production"]);
    });

    it("lets one go that sleeps rather than one that is awake", () => {
      expect(left(withAsleep(previews, 3, 800), "c")).to.deep.equal(["a", "c", "production"]);
    });

    it("never lets the one go that was just pushed", () => {
      expect(left(withAsleep(previews, 2, 100), "a", 1)).to.deep.equal(["a", "production"]);
      expect(left(withAsleep(previews, 2, 100), "a")).to.deep.equal(["a", "c", "production"]);
    });
  });

  it("leads each track to a release that is there and was not replaced, after any changes", () => {
    const tracks = ["production", "canary", "production", "preview", "production"];
    const one = (number: number): ReleaseRecord => record(number, tracks[number - 1]);
    const number = fc.integer({ min: 1, max: 5 });
    const change = fc.oneof(
      number.map((n) => (table: RouteTable) => withRelease(table, one(n), 50)),
      fc.tuple(number, fc.nat()).map(
        ([n, now]) =>
          (table: RouteTable) =>
            withLive(table, one(n), now),
      ),
      number.map((n) => (table: RouteTable) => withoutUnvisited(table, n)),
      number.map((n) => (table: RouteTable) => withoutRelease(table, n)),
      number.map((n) => (table: RouteTable) => withoutVisitors(table, n)),
      number.map((n) => (table: RouteTable) => withInstances(table, one(n))),
      fc.constantFrom(...tracks).map((track) => (table: RouteTable) => withoutTrack(table, track, 5)),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const table = changes.reduce((before, change) => change(before), emptyRouteTable("a"));
        const numbers = table.releases.map((release) => release.number);
        expect(numbers).to.deep.equal([...new Set(numbers)].sort());
        for (const [track, served] of Object.entries(table.tracks)) {
          const release = table.releases.find((candidate) => candidate.number === served);
          expect(release).to.include({ track });
          expect(release?.replacedAt).to.equal(undefined);
        }
        expect(routeTableSchema.parse(table)).to.deep.equal(table);
      }),
      { numRuns: 500 },
    );
  });
});
