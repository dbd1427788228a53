import type { Split } from "../../proxy.js";

export const MAPS = ["hosts", "visitors", "tracks", "splits", "slots"] as const;
/**
 * hosts: host → target (`APP/TRACK` or `APP/vN`). visitors: `TARGET|COOKIE` → `slotEntry`, `APP/vN|` → `askedEntry`. tracks:
 * `APP/TRACK` → `APP/vN`. splits: `APP/TRACK` → `splitEntry`. slots: `APP/vN` → `slotEntry`.
 */
export type MapName = (typeof MAPS)[number];

export type Maps = Readonly<Record<MapName, ReadonlyMap<string, string>>>;

export const NO_MAPS: Maps = {
  hosts: new Map(),
  visitors: new Map(),
  tracks: new Map(),
  splits: new Map(),
  slots: new Map(),
};

/** What HAProxy does at a moment: its maps, and the servers of every slot that is taken. */
export interface HaproxyState extends Routing {
  /** Slot → server → address. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Servers that get nothing new and wait for their last connection to close. */
  readonly leaving: readonly SlotServer[];
  /** Servers on which something is still open in a worker from before a reload, though `servers` names them no more. */
  readonly elsewhere?: readonly SlotServer[];
  /** Every slot there is. */
  readonly slots: readonly string[];
}

/**
 * What the maps say, kept by app: a change of one app looks at no other. No two apps have an entry in common. An app's maps are
 * never changed, only replaced: the same object says the same.
 */
export interface Routing {
  readonly apps: ReadonlyMap<string, Maps>;
  /** Where the bare host leads: the entry of the hosts map that no app has. */
  readonly fallback: string | undefined;
}

/** How a server stands in HAProxy. */
export interface ObservedServer extends SlotServer {
  /** It gets nothing new. */
  readonly isOut: boolean;
}

export interface SlotServer {
  readonly slot: string;
  readonly server: string;
  readonly address: string;
}

/**
 * Servers that stand in each slot's file and are given an address at run time. Only such a server's connections are used
 * again: HAProxy 2.6 keeps none idle for servers that were added at run time, and takes 3 times the CPU for each request.
 */
export const PLACES = ["w1", "w2", "w3", "w4"] as const;

/** The address of a place that nobody has. */
export const NOWHERE = "127.0.0.1:1";

export function isPlace(server: string): boolean {
  return PLACES.some((place) => place === server);
}

/** What the slots map says of a release: `APP/vN|SLOT|TRACK|sticky or free|vN`; the slot of one that sleeps is `WAKE`. */
export function slotEntry(
  slot: string,
  release: string,
  routes: { readonly track: string; readonly sticky: boolean },
): string {
  return [release, slot, routes.track, routes.sticky ? "sticky" : "free", release.split("/")[1]].join("|");
}

const ASKED = "asked";

/** The same release for whoever asks for it: `asked` in the place of sticky or free, so that they are counted apart. */
export function askedEntry(entry: string): string {
  return entry
    .split("|")
    .map((field, index) => (index === 3 ? ASKED : field))
    .join("|");
}

/** The same entry, leading to another slot. */
export function withSlot(entry: string, slot: string): string {
  return entry
    .split("|")
    .map((field, index) => (index === 1 ? slot : field))
    .join("|");
}

export function isAskedEntry(entry: string): boolean {
  return entry.split("|")[3] === ASKED;
}

export function slotOfEntry(entry: string): string {
  return entry.split("|")[1] ?? "";
}

/** What the splits map says of a track: `APP/vN or none|ten-thousandths|header or nothing|goal or nothing|APP/vN or none`. */
export function splitEntry({ canary, share, header, goal, baseline }: Split): string {
  const parts = canary === undefined ? 0 : Math.round(share * 100);
  return [canary ?? "none", parts, header ?? "", goal ?? "", baseline ?? "none"].join("|");
}
