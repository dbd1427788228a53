import { expect } from "chai";
import fc from "fast-check";
import type { AppRoutes } from "../../../../../proxy/proxy.js";
import { plan } from "../../../../../proxy/haproxy/runtime/plan.js";
import type { MapChange } from "../../../../../proxy/haproxy/runtime/map-changes.js";
import { mapsOf } from "../../../../../proxy/haproxy/config/routing.js";
import { slotOfEntry } from "../../../../../proxy/haproxy/config/entries/slot-entry.js";
import {
  FALLBACK_HOST,
  isPlace,
  type HaproxyState,
  type Maps,
} from "../../../../../proxy/haproxy/config/state.js";

const empty = (slots = 8): HaproxyState => ({
  apps: new Map(),
  fallback: undefined,
  servers: new Map(),
  leaving: [],
  slots: Array.from({ length: slots }, (_, index) => `slot-${index}`),
});

function routes(app: string, live: number, others: readonly number[] = []): AppRoutes {
  const numbers = [...new Set([live, ...others])];
  const key = (number: number): string => `${app}/v${number}`;
  return {
    hosts: new Map([
      [`${app}.localhost`, `${app}/production`],
      ...numbers.map((number) => [`v${number}.${app}.localhost`, key(number)] as const),
    ]),
    tracks: new Map([[`${app}/production`, key(live)]]),
    https: new Map(),
    guards: new Map(),
    errorPage: undefined,
    accessLog: false,
    splits: new Map(),
    releases: new Map(
      numbers.map((number) => [
        key(number),
        {
          track: "production",
          servers: new Map([[`${app}.v${number}.web.1`, `127.0.0.1:${2000 + number}`]]),
          sticky: false,
          asleep: false,
        },
      ]),
    ),
  };
}

describe("the plan of a change", () => {
  it("gives a release a slot of its own, and points there before a host does", () => {
    const { added, maps, leaving, next } = plan(empty(), new Map([["a", routes("a", 1)]]), "a/production");
    expect(added).to.deep.equal([{ slot: "slot-0", server: "w1", address: "127.0.0.1:2001" }]);
    expect(leaving).to.deep.equal([]);
    expect(maps.map(({ map }) => map)).to.deep.equal([
      ...["slots", "tracks", "visitors", "visitors", "visitors"],
      ...["hosts", "hosts", "hosts"],
    ]);
    expect(wholeMaps(next).hosts.get(FALLBACK_HOST)).to.equal("a/production");
  });

  it("switches a release by the maps alone: where its track leads, and its visitors", () => {
    const before = plan(empty(), new Map([["a", routes("a", 1, [2])]]), "a/production").next;
    const switched = plan(before, new Map([["a", routes("a", 2, [1])]]), "a/production");
    const value = "a/v2|slot-1|production|free|v2";
    expect(switched.maps).to.deep.equal([
      { kind: "set", map: "tracks", key: "a/production", value: "a/v2" },
      { kind: "set", map: "visitors", key: "a/production|", value },
      { kind: "add", map: "visitors", key: "a/production|production.v2", value },
      { kind: "delete", map: "visitors", key: "a/production|production.v1" },
    ]);
    expect([switched.added, switched.leaving]).to.deep.equal([[], []]);
  });

  it("turns an app's access log on and off by one entry of a map", () => {
    const off = plan(empty(), new Map([["shop", routes("shop", 1)]]), undefined).next;
    const on = plan(off, new Map([["shop", { ...routes("shop", 1), accessLog: true }]]), undefined);
    expect(on.maps).to.deep.equal([{ kind: "add", map: "access", key: "shop/", value: "on" }]);
    const again = plan(on.next, new Map([["shop", routes("shop", 1)]]), undefined);
    expect(again.maps).to.deep.equal([{ kind: "delete", map: "access", key: "shop/" }]);
  });

  it("does nothing twice", () => {
    const { next } = plan(empty(), new Map([["a", routes("a", 1)]]), undefined);
    const again = plan(next, new Map([["a", routes("a", 1)]]), undefined);
    expect([again.added, again.maps, again.leaving]).to.deep.equal([[], [], []]);
  });

  it("looks at no app that does not change", () => {
    const { apps, ...state } = plan(empty(), new Map([["a", routes("a", 1)]]), undefined).next;
    const untouchable = new Proxy({} as Maps, {
      get: (_, map) => expect.fail(`looked at ${String(map)} of another app`),
    });
    const crowded = { ...state, apps: new Map(apps).set("other", untouchable) };
    const { maps, next } = plan(crowded, new Map([["a", routes("a", 2, [1])]]), "a/production");
    expect(maps).to.have.lengthOf(8);
    expect(next.apps.get("other") === untouchable).to.equal(true);
  });

  it("does not use a slot again while a server is leaving it, and says when slots are missing", () => {
    const one = plan(empty(2), new Map([["a", routes("a", 1)]]), undefined).next;
    const two = plan(one, new Map([["a", routes("a", 2)]]), undefined).next;
    expect(two.leaving.map(({ slot }) => slot)).to.deep.equal(["slot-0"]);
    expect(plan(two, new Map([["b", routes("b", 1)]]), undefined).missingSlots).to.equal(1);
    expect(plan({ ...two, leaving: [] }, new Map([["b", routes("b", 1)]]), undefined).missingSlots).to.equal(
      0,
    );
  });

  it("leads to what is wanted over any history, never points at nothing, never shares a slot", () => {
    const app = fc.constantFrom("a", "b", "c");
    const wanted = fc.option(
      fc.record({
        live: fc.integer({ min: 1, max: 4 }),
        others: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(app, wanted), { maxLength: 12 }), (history) => {
        let state = empty(40);
        const last = new Map<string, AppRoutes | undefined>();
        for (const [name, want] of history) {
          const route = want === undefined ? undefined : routes(name, want.live, want.others);
          last.set(name, route);
          const step = plan(state, new Map([[name, route]]), undefined);
          expect(waitForProxies(state, step.maps)).to.deep.equal(wholeMaps(step.next));
          state = step.next;
          const maps = wholeMaps(state);
          const slots = [...maps.slots.values()].map(slotOfEntry);
          expect(new Set(slots).size).to.equal(slots.length);
          for (const slot of slots) expect(state.servers.get(slot)?.size).to.be.greaterThan(0);
          for (const release of maps.tracks.values()) expect(maps.slots.has(release)).to.equal(true);
        }
        const expectedHosts = [...last.values()].flatMap((route) => [...(route?.hosts ?? [])]);
        expect([...wholeMaps(state).hosts].sort()).to.deep.equal(expectedHosts.sort());
      }),
      { numRuns: 300 },
    );
  });

  it("gives every release just the servers that it wants, under names of their own, also while others are leaving", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyChanges, fc.nat()), { maxLength: 12 }), (history) => {
        let state = empty(60);
        const wanted = new Map<string, AppRoutes | undefined>();
        for (const [changes, seed] of history) {
          for (const [app, routes] of changes) wanted.set(app, routes);
          state = plan(state, changes, undefined).next;
          const maps = wholeMaps(state);
          for (const routes of wanted.values()) {
            for (const [key, { servers }] of routes?.releases ?? []) {
              const slot = slotOfEntry(maps.slots.get(key) ?? "");
              expect([...(state.servers.get(slot)?.values() ?? [])], key).to.have.members([
                ...servers.values(),
              ]);
            }
          }
          const names = [
            ...[...state.servers].flatMap(([slot, servers]) =>
              [...servers.keys()].map((name) => `${slot}/${name}`),
            ),
            ...state.leaving
              .filter(({ server }) => isPlace(server))
              .map(({ slot, server }) => `${slot}/${server}`),
          ];
          expect(names).to.deep.equal([...new Set(names)]);
          const inUse = new Set([...maps.slots.values()].map(slotOfEntry));
          expect([...state.servers.keys()].filter((slot) => !inUse.has(slot))).to.deep.equal([]);
          // Some have closed their last connection.
          state = {
            ...state,
            leaving: state.leaving.filter((_, index) => ((seed >> (index % 16)) & 1) === 1),
          };
        }
      }),
      { numRuns: 200 },
    );
  });

  it("is right at every moment on its way: what is pointed to is there, and serves what it served or will serve", () => {
    fc.assert(
      fc.property(anyChanges, anyChanges, (first, second) => {
        const before = plan(empty(60), first, undefined).next;
        const { maps, next } = plan(before, second, undefined);
        for (let count = 0; count <= maps.length; count++) {
          const now = waitForProxies(before, maps.slice(0, count));
          for (const [host, target] of now.hosts) {
            const served = servedBy(now, target);
            const options = [before, next].map(wholeMaps).filter(({ hosts }) => hosts.has(host));
            expect(
              options.map(({ hosts, ...map }) => servedBy({ hosts, ...map }, hosts.get(host) ?? "")),
              `${host} after ${count} of ${maps.length}`,
            ).to.deep.include(served);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** What changes of several apps at once can be: any servers, on ports and sockets, and none. */
const anyChanges = fc
  .array(
    fc.tuple(
      fc.constantFrom("a", "ab", "b"),
      fc.option(
        fc.dictionary(
          fc.constantFrom("1", "2", "3"),
          fc.record({
            ports: fc.subarray([1, 2, 3, 4, 5, 6, 7]),
            socket: fc.boolean(),
            sticky: fc.boolean(),
          }),
          { minKeys: 1, noNullPrototype: true },
        ),
        { nil: undefined, freq: 4 },
      ),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((changes) => new Map(changes.map(([app, releases]) => [app, releases && routesWith(app, releases)])));

/** All apps' maps, as HAProxy has them. */
function wholeMaps(state: HaproxyState): Maps {
  return mapsOf(state, state.apps.keys());
}

type Releases = Record<string, { ports: readonly number[]; socket: boolean; sticky: boolean }>;

/** The newest release has the track. */
function routesWith(app: string, releases: Releases): AppRoutes {
  const numbers = Object.keys(releases).map(Number);
  return {
    ...routes(app, Math.max(...numbers), numbers),
    releases: new Map(
      Object.entries(releases).map(([number, { ports, socket, sticky }]) => {
        const id = `${app}.v${number}.web`;
        const servers = ports.map(
          (port) => [`${id}.${port}:${port}`, `127.0.0.1:${number}000${port}`] as const,
        );
        const all = socket ? [...servers, [`${id}.9`, `unix@/run/${id}.sock`] as const] : servers;
        return [`${app}/v${number}`, { track: "production", servers: new Map(all), sticky, asleep: false }];
      }),
    ),
  };
}

/** What a visitor of a target comes to: a release, or none. */
function servedBy({ visitors, tracks, slots }: Maps, target: string): string | undefined {
  const entry = visitors.get(`${target}|`);
  if (entry !== undefined) return `${entry.split("|")[0] ?? ""} in ${slotOfEntry(entry)}`;
  const release = tracks.get(target) ?? target;
  return slots.has(release) ? `${release} in ${slotOfEntry(slots.get(release) ?? "")}` : undefined;
}

/** The maps after the changes, as HAProxy would have them; a change that does not fit fails. */
function waitForProxies(state: HaproxyState, changes: readonly MapChange[]): Maps {
  const maps = mapsOf(state, state.apps.keys());
  for (const change of changes) {
    const map = maps[change.map];
    expect(map.has(change.key), `${change.kind} ${change.key}`).to.equal(change.kind !== "add");
    if (change.kind === "delete") map.delete(change.key);
    else map.set(change.key, change.value);
  }
  return maps;
}
