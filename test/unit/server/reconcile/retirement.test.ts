import { expect } from "chai";
import fc from "fast-check";
import {
  emptyRouteTable,
  type RoutedRelease,
  type RouteTable,
} from "../../../../core/records/routes/route-table.js";
import { nextMoves, type Loads } from "../../../../server/reconcile/retirement.js";

const AT = 1_000_000;
const idle = { connections: 0, idleSeconds: 1e9 };
const busy = { connections: 1, idleSeconds: 0 };

const replaced = (more: Partial<RoutedRelease> = {}): RoutedRelease => ({
  number: 1,
  track: "production",
  servers: [],
  sticky: false,
  asleep: false,
  sleepSeconds: 0,
  expireSeconds: 0,
  since: 0,
  replacedAt: AT,
  drainSeconds: 900,
  standbySeconds: 600,
  sessionIdleSeconds: 60,
  ...more,
});
const serving: RoutedRelease = {
  number: 9,
  track: "production",
  servers: [],
  sticky: false,
  asleep: false,
  sleepSeconds: 0,
  expireSeconds: 0,
  since: 0,
  drainSeconds: 900,
  standbySeconds: 600,
  sessionIdleSeconds: 60,
};
const table = (...releases: RoutedRelease[]): RouteTable => ({
  ...emptyRouteTable("a"),
  tracks: { production: 9 },
  releases: [...releases, serving],
});
const moves = (release: RoutedRelease, loads: Loads, seconds: number) =>
  nextMoves(table(release), loads, AT + seconds * 1000);

describe("a preview", () => {
  const preview = (more: Partial<RoutedRelease> = {}): RoutedRelease => ({
    ...serving,
    track: "feature",
    sleepSeconds: 60,
    expireSeconds: 3600,
    since: AT,
    ...more,
  });
  const movesOf = (release: RoutedRelease, loads: Loads, seconds: number) =>
    nextMoves(
      { ...emptyRouteTable("a"), tracks: { feature: 9 }, releases: [release] },
      loads,
      AT + seconds * 1000,
    );

  it("sleeps when every proxy says that nobody came for long enough, not before it had that time", () => {
    const loads: Loads = new Map([[9, [idle]]]);
    expect(movesOf(preview(), loads, 59)).to.deep.equal([]);
    expect(movesOf(preview(), loads, 60)).to.deep.equal([{ kind: "sleep", number: 9 }]);
    for (const load of [undefined, { ...idle, idleSeconds: 59 }, { ...idle, connections: 1 }])
      expect(movesOf(preview(), new Map([[9, [idle, load]]]), 60)).to.deep.equal([]);
    expect(movesOf(preview({ sleepSeconds: 0 }), loads, 999)).to.deep.equal([]);
  });

  it("is removed when it has slept for too long, and goes at once when it is replaced in its sleep", () => {
    const asleep = preview({ asleep: true });
    expect(movesOf(asleep, new Map(), 3599)).to.deep.equal([]);
    expect(movesOf(asleep, new Map(), 3600)).to.deep.equal([{ kind: "expire", track: "feature" }]);
    const gone = preview({ asleep: true, replacedAt: AT });
    expect(movesOf(gone, new Map(), 1)).to.deep.equal([{ kind: "retire", number: 9 }]);
  });
});

describe("a replaced release", () => {
  it("stays on standby when it is drained, and goes when that is over", () => {
    const loads: Loads = new Map([[1, [idle]]]);
    expect(moves(replaced(), loads, 599)).to.deep.equal([]);
    expect(moves(replaced(), loads, 600)).to.deep.equal([{ kind: "retire", number: 1 }]);
  });

  it("stays while anything is open, up to drainSeconds", () => {
    const loads: Loads = new Map([[1, [idle, busy]]]);
    expect(moves(replaced(), loads, 899)).to.deep.equal([]);
    expect(moves(replaced(), loads, 900)).to.deep.equal([{ kind: "retire", number: 1 }]);
  });

  it("is not drained before every proxy has counted it since it follows the table", () => {
    const release = replaced({ standbySeconds: 0 });
    expect(moves(release, new Map([[1, [idle, undefined]]]), 10)).to.deep.equal([]);
    expect(moves(release, new Map([[1, [idle]]]), 10)).to.deep.equal([{ kind: "retire", number: 1 }]);
    expect(moves(release, new Map([[1, []]]), 10)).to.deep.equal([{ kind: "retire", number: 1 }]);
  });

  it("keeps sticky visitors until they were idle, then is closed to them, then goes", () => {
    const release = replaced({ sticky: true });
    expect(moves(release, new Map([[1, [{ ...idle, idleSeconds: 59 }]]]), 100)).to.deep.equal([]);
    const left: Loads = new Map([[1, [{ ...idle, idleSeconds: 60 }]]]);
    expect(moves(release, left, 100)).to.deep.equal([{ kind: "close", number: 1 }]);
    expect(moves(release, left, 600)).to.deep.equal([{ kind: "retire", number: 1 }]);
  });

  it("is kept on standby only while it is the newest of its track", () => {
    const older = replaced();
    const newer = replaced({ number: 2, replacedAt: AT + 1000 });
    const loads: Loads = new Map([1, 2].map((number) => [number, [idle]]));
    expect(nextMoves(table(older, newer), loads, AT + 5000)).to.deep.equal([{ kind: "retire", number: 1 }]);
    const elsewhere = replaced({ number: 2, replacedAt: AT + 1000, track: "preview" });
    expect(nextMoves(table(older, elsewhere), loads, AT + 5000)).to.deep.equal([]);
  });

  it("is the only one that moves: what serves is left alone", () => {
    expect(nextMoves(table(), new Map([[9, [idle]]]), AT + 1e9)).to.deep.equal([]);
  });

  describe("whatever it is and whoever visits it", () => {
    const seconds = fc.constantFrom(0, 1, 60, 600, 900, 3600);
    const load = fc.record({
      connections: fc.constantFrom(0, 0, 1, 5),
      idleSeconds: fc.constantFrom(0, 59, 60, 1e9),
    });
    const situation = fc
      .record({
        first: fc.record({ drainSeconds: seconds, standbySeconds: seconds, sticky: fc.boolean() }),
        second: fc.record({
          drainSeconds: seconds,
          standbySeconds: seconds,
          sticky: fc.boolean(),
          replacedAt: fc.constantFrom(AT - 1000, AT, AT + 1000),
          track: fc.constantFrom("production", "preview"),
        }),
        loads: fc.tuple(fc.array(fc.option(load, { nil: undefined })), fc.array(load)),
        waited: fc.integer({ min: 0, max: 8000 }),
      })
      .map(({ first, second, loads, waited }) => ({
        routes: table(replaced(first), replaced({ ...second, number: 2 })),
        loads: new Map([
          [1, loads[0]],
          [2, loads[1]],
        ]),
        now: AT + waited * 1000,
      }));
    const retired = ({ routes, loads, now }: { routes: RouteTable; loads: Loads; now: number }): number[] =>
      nextMoves(routes, loads, now).flatMap((move) => (move.kind === "retire" ? [move.number] : []));

    it("does not go while something is open on it, before drainSeconds are over", () => {
      fc.assert(
        fc.property(situation, ({ routes, loads, now }) => {
          for (const number of retired({ routes, loads, now })) {
            const release = routes.releases.find((one) => one.number === number);
            const isOpen =
              loads.get(number)?.some((one) => one !== undefined && one.connections > 0) ?? false;
            const waited = (now - (release?.replacedAt ?? 0)) / 1000;
            expect(isOpen && waited < (release?.drainSeconds ?? 0)).to.equal(false);
          }
        }),
      );
    });

    it("goes when drainSeconds and standbySeconds are over", () => {
      fc.assert(
        fc.property(situation, ({ routes, loads }) => {
          expect(retired({ routes, loads, now: AT + 10_000_000 })).to.have.members([1, 2]);
        }),
      );
    });

    it("does not come back by waiting: what may go now may go later", () => {
      fc.assert(
        fc.property(situation, fc.nat({ max: 10_000_000 }), ({ routes, loads, now }, later) => {
          const then = retired({ routes, loads, now: now + later });
          for (const number of retired({ routes, loads, now })) expect(then).to.include(number);
        }),
      );
    });

    it("is left alone while it serves", () => {
      fc.assert(
        fc.property(situation, ({ routes, loads, now }) => {
          expect(nextMoves(routes, loads, now)).not.to.deep.include({ kind: "retire", number: 9 });
        }),
      );
    });
  });
});
