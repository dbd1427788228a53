import type { AppRoutes, ReleaseRoutes } from "../proxy.js";
import { FALLBACK_HOST, WAKE } from "./configuration.js";
import { mapChanges, type MapChange } from "./map-changes.js";
import {
  PLACES,
  slotEntry,
  slotOfEntry,
  splitEntry,
  type HaproxyState,
  type MapName,
  type SlotServer,
} from "./state.js";
import { visitorsOf } from "./visitors.js";

/** The difference between what HAProxy does and what it should do. */
export interface Plan {
  readonly added: readonly SlotServer[];
  /** In an order that is right at every moment: what is pointed to comes before what points. */
  readonly maps: readonly MapChange[];
  /** Servers that nothing points to any more; they go when their last connection has closed. */
  readonly leaving: readonly SlotServer[];
  /** What will run then. */
  readonly next: HaproxyState;
  /** Releases for which no slot was free: more slots must be made first. */
  readonly missingSlots: number;
}

/** desired − actual. Pure. */
export function plan(
  actual: HaproxyState,
  changes: ReadonlyMap<string, AppRoutes | undefined>,
  fallback: string | undefined,
): Plan {
  const desired = new Desired(actual);
  for (const [app, routes] of changes) desired.place(app, routes);
  desired.setFallback(fallback);
  return desired.plan();
}

/** The state as it should become, built app by app on a copy of the actual one. */
class Desired {
  private readonly maps: Record<MapName, Map<string, string>>;
  private readonly servers: Map<string, Map<string, string>>;
  private readonly freeSlots: string[];
  private readonly added: SlotServer[] = [];
  private readonly leaving: SlotServer[] = [];
  private missingSlots = 0;

  constructor(private readonly actual: HaproxyState) {
    this.maps = {
      hosts: new Map(actual.maps.hosts),
      visitors: new Map(actual.maps.visitors),
      tracks: new Map(actual.maps.tracks),
      splits: new Map(actual.maps.splits),
      slots: new Map(actual.maps.slots),
    };
    this.servers = new Map([...actual.servers].map(([slot, servers]) => [slot, new Map(servers)]));
    const used = new Set([...actual.maps.slots.values()].map(slotOfEntry));
    for (const { slot } of [...actual.leaving, ...(actual.elsewhere ?? [])]) used.add(slot);
    this.freeSlots = actual.slots.filter((slot) => !used.has(slot)).reverse();
  }

  place(app: string, routes: AppRoutes | undefined): void {
    const releases = routes?.releases ?? new Map<string, ReleaseRoutes>();
    for (const [key, entry] of this.maps.slots) {
      if (belongsTo(key, app) && !releases.has(key)) this.drop(key, entry);
    }
    for (const [key, release] of releases) this.placeRelease(key, release);
    replaceAll(this.maps.tracks, (key) => belongsTo(key, app), routes?.tracks);
    const splits = new Map([...(routes?.splits ?? [])].map(([track, split]) => [track, splitEntry(split)]));
    replaceAll(this.maps.splits, (key) => belongsTo(key, app), splits);
    const visitors = routes === undefined ? undefined : visitorsOf(routes, this.maps.slots);
    replaceAll(this.maps.visitors, (key) => belongsTo(key, app), visitors);
    replaceAll(
      this.maps.hosts,
      (_, target) => belongsTo(target, app),
      routes?.hosts,
      (key) => key === FALLBACK_HOST,
    );
  }

  setFallback(target: string | undefined): void {
    if (target === undefined) this.maps.hosts.delete(FALLBACK_HOST);
    else this.maps.hosts.set(FALLBACK_HOST, target);
  }

  plan(): Plan {
    return {
      added: this.added,
      maps: mapChanges(this.actual.maps, this.maps),
      leaving: this.leaving,
      next: {
        maps: this.maps,
        servers: this.servers,
        leaving: [...this.actual.leaving, ...this.leaving],
        elsewhere: this.actual.elsewhere ?? [],
        slots: this.actual.slots,
      },
      missingSlots: this.missingSlots,
    };
  }

  private placeRelease(key: string, release: ReleaseRoutes): void {
    const present = this.maps.slots.get(key);
    if (release.asleep) {
      if (present !== undefined) this.drop(key, present);
      this.maps.slots.set(key, slotEntry(WAKE, key, release));
      return;
    }
    const hasSlot = present !== undefined && slotOfEntry(present) !== WAKE;
    const slot = hasSlot ? slotOfEntry(present) : this.freeSlots.pop();
    if (slot === undefined) {
      this.missingSlots++;
      return;
    }
    this.maps.slots.set(key, slotEntry(slot, key, release));
    this.placeServers(slot, release.servers);
  }

  private placeServers(slot: string, wanted: ReadonlyMap<string, string>): void {
    const servers = this.servers.get(slot) ?? new Map<string, string>();
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

  /** A place takes a port, never a Unix socket; when all are taken a server is added. */
  private freePlace(slot: string, servers: ReadonlyMap<string, string>, address: string): string | undefined {
    if (address.startsWith("unix@")) return undefined;
    const leaving = [...this.actual.leaving, ...this.leaving].filter((server) => server.slot === slot);
    return PLACES.find((place) => !servers.has(place) && !leaving.some(({ server }) => server === place));
  }

  private drop(key: string, entry: string): void {
    const slot = slotOfEntry(entry);
    for (const [server, address] of this.servers.get(slot) ?? []) this.leave(slot, server, address);
    this.maps.slots.delete(key);
    this.servers.delete(slot);
  }

  private leave(slot: string, server: string, address: string): void {
    this.leaving.push({ slot, server, address });
  }
}

function belongsTo(key: string, app: string): boolean {
  return key.startsWith(`${app}/`);
}

function replaceAll(
  map: Map<string, string>,
  isOurs: (key: string, value: string) => boolean,
  wanted: ReadonlyMap<string, string> = new Map(),
  spare: (key: string) => boolean = () => false,
): void {
  for (const [key, value] of map) {
    if (isOurs(key, value) && !spare(key) && !wanted.has(key)) map.delete(key);
  }
  for (const [key, value] of wanted) map.set(key, value);
}
