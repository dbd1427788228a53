import type { AppRoutes, ReleaseRoutes } from "../../proxy.js";
import { mapChanges, type MapChange } from "./map-changes.js";
import { guardedTarget, guardsOf } from "../config/guards.js";
import { ownPagesOf } from "../config/pages/own-pages.js";
import { appOf, mapsOf } from "../config/routing.js";
import { httpsEntry } from "../config/entries/https-entry.js";
import { formatSlotEntry, slotOfEntry } from "../config/entries/slot-entry.js";
import { formatSplitEntry } from "../config/entries/split-entry.js";
import { NO_MAPS, PLACES, type HaproxyState, type Maps, type SlotServer } from "../config/state.js";
import { WAKE } from "../config/text/wake-backend.js";
import { limitsOf } from "../config/limits.js";
import { visitorsOf } from "../config/visitors.js";

/** The difference between what HAProxy does and what it should do. */
export interface Plan {
  readonly added: readonly SlotServer[];
  /** In an order that keeps the maps consistent at every moment. */
  readonly maps: readonly MapChange[];
  /** Servers that are no longer used; they are removed when their last connection has closed. */
  readonly leaving: readonly SlotServer[];
  /** The state that the plan leads to. */
  readonly next: HaproxyState;
  /** How many releases found no free slot: slots must be added first. */
  readonly missingSlots: number;
}

/** desired − actual. Pure. Its cost grows with the number of apps that change, not with the number of apps. */
export function plan(
  actual: HaproxyState,
  changes: ReadonlyMap<string, AppRoutes | undefined>,
  fallback: string | undefined,
): Plan {
  const desired = new Desired(actual);
  for (const [app, routes] of changes) desired.place(app, routes);
  return desired.plan([...changes.keys()], fallback);
}

/** The desired state, built app by app from the actual one. */
class Desired {
  private readonly apps: Map<string, Maps>;
  private readonly servers: Map<string, ReadonlyMap<string, string>>;
  private readonly freeSlots: Iterator<string, undefined>;
  private readonly added: SlotServer[] = [];
  private readonly leaving: SlotServer[] = [];
  private missingSlots = 0;

  constructor(private readonly actual: HaproxyState) {
    this.apps = new Map(actual.apps);
    this.servers = new Map(actual.servers);
    this.freeSlots = freeSlots(actual);
  }

  place(app: string, routes: AppRoutes | undefined): void {
    const before = this.apps.get(app) ?? NO_MAPS;
    for (const [release, entry] of before.slots) if (!routes?.releases.has(release)) this.drop(entry);
    if (routes === undefined) {
      this.apps.delete(app);
      return;
    }
    const slots = new Map<string, string>();
    for (const [key, release] of routes.releases) {
      const entry = this.placeRelease(key, release, before.slots.get(key));
      if (entry !== undefined) slots.set(key, entry);
    }
    const splits = new Map([...routes.splits].map(([track, split]) => [track, formatSplitEntry(split)]));
    const { tracks } = routes;
    const ownPages = ownPagesOf(app, routes);
    const guards = guardsOf(routes);
    const hosts = new Map([...routes.hosts].map(([host, target]) => [host, guardedTarget(guards, target)]));
    const visitors = visitorsOf(routes, slots);
    const https = new Map(
      [...routes.https].map(([host, { hstsSeconds }]) => [
        host,
        httpsEntry.format({ app: `${app}/`, hstsSeconds: String(hstsSeconds) }),
      ]),
    );
    const limits = limitsOf(routes, slots);
    const access = new Map(routes.accessLog ? [[`${app}/`, "on"]] : []);
    const more = { https, guards, ownPages, access };
    this.apps.set(app, { hosts, visitors, tracks, splits, slots, limits, ...more });
  }

  plan(changed: readonly string[], wanted: string | undefined): Plan {
    const { apps, servers, added, leaving, actual, missingSlots } = this;
    const { guards } = apps.get(appOf(wanted ?? "")) ?? NO_MAPS;
    const fallback = wanted === undefined ? undefined : guardedTarget(guards, wanted);
    const before = mapsOf(actual, changed);
    const after = mapsOf({ apps, fallback }, changed);
    return {
      added,
      maps: mapChanges(before, after),
      leaving,
      next: { ...actual, apps, fallback, servers, leaving: [...actual.leaving, ...leaving] },
      missingSlots,
    };
  }

  /** Returns its entry; undefined if there is no slot for it. */
  private placeRelease(key: string, release: ReleaseRoutes, present: string | undefined): string | undefined {
    if (release.asleep) {
      if (present !== undefined) this.drop(present);
      return formatSlotEntry(WAKE, key, release);
    }
    const hasSlot = present !== undefined && slotOfEntry(present) !== WAKE;
    const slot = hasSlot ? slotOfEntry(present) : this.freeSlots.next().value;
    if (slot === undefined) {
      this.missingSlots++;
      return present;
    }
    this.placeServers(slot, release.servers);
    return formatSlotEntry(slot, key, release);
  }

  private placeServers(slot: string, wanted: ReadonlyMap<string, string>): void {
    const servers = new Map(this.servers.get(slot));
    this.servers.set(slot, servers);
    const addresses = new Set(wanted.values());
    for (const [server, address] of servers) {
      if (addresses.has(address)) continue;
      this.leave(slot, server, address);
      servers.delete(server);
    }
    const present = new Set(servers.values());
    for (const [name, address] of wanted) {
      if (present.has(address)) continue;
      const server = this.freePlace(slot, servers, address) ?? name;
      servers.set(server, address);
      this.added.push({ slot, server, address });
    }
  }

  /** A place can have a port, but no Unix socket. If none is free, a server is added instead. */
  private freePlace(slot: string, servers: ReadonlyMap<string, string>, address: string): string | undefined {
    if (address.startsWith("unix@")) return undefined;
    const leaving = [...this.actual.leaving, ...this.leaving].filter((server) => server.slot === slot);
    return PLACES.find((place) => !servers.has(place) && !leaving.some(({ server }) => server === place));
  }

  private drop(entry: string): void {
    const slot = slotOfEntry(entry);
    for (const [server, address] of this.servers.get(slot) ?? []) this.leave(slot, server, address);
    this.servers.delete(slot);
  }

  private leave(slot: string, server: string, address: string): void {
    this.leaving.push({ slot, server, address });
  }
}

/** Slots without a release and without a server that is leaving, found one by one as they are needed. */
function* freeSlots(actual: HaproxyState): Generator<string, undefined> {
  const { slots, servers, leaving, elsewhere = [] } = actual;
  const used = new Set([...leaving, ...elsewhere].map(({ slot }) => slot));
  for (const slot of slots) if (!servers.has(slot) && !used.has(slot)) yield slot;
  return undefined;
}
