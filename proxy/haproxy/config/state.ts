export const MAPS = [
  "hosts",
  "visitors",
  "tracks",
  "splits",
  "slots",
  "limits",
  "https",
  "guards",
  "ownPages",
  "access",
] as const;
/**
 * - `hosts`: host → `target`, followed by `GUARDED` if `guards` has it
 * - `visitors`: `TARGET|COOKIE` → `slotEntry`; `APP/vN|` → the same for visitors who ask for that release
 * - `tracks`: `APP/TRACK` → `APP/vN`
 * - `splits`: `APP/TRACK` → `splitEntry`
 * - `slots`: `APP/vN` → `slotEntry`
 * - `limits`: `slotEntry` → `limitsEntry`
 * - `https`: host → `httpsEntry`
 * - `guards`: target with `GUARDED` → `guardEntry`
 * - `ownPages`: `APP/NUMBER` → a part of the app's own error page (`ownPagesOf`)
 * - `access`: `APP/`, of apps that want an access log → `on`
 */
export type MapName = (typeof MAPS)[number];

/** The key in the hosts map for a bare host (the domain itself, or an IP address). */
export const FALLBACK_HOST = "*";

export type Maps = Readonly<Record<MapName, ReadonlyMap<string, string>>>;

export const NO_MAPS: Maps = {
  hosts: new Map(),
  visitors: new Map(),
  tracks: new Map(),
  splits: new Map(),
  slots: new Map(),
  limits: new Map(),
  https: new Map(),
  guards: new Map(),
  ownPages: new Map(),
  access: new Map(),
};

/** What HAProxy does at one moment: its maps, and the servers of every slot in use. */
export interface HaproxyState extends Routing {
  /** Slot → server → address. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Servers that get no new requests, until their last connection has closed. */
  readonly leaving: readonly SlotServer[];
  /** Servers that `servers` no longer has, but to which a worker from before a reload still has connections. */
  readonly elsewhere?: readonly SlotServer[];
  /** All slots, used or not. */
  readonly slots: readonly string[];
}

/**
 * The maps, kept by app, so that changing one app does not look at the others. No two apps share an entry. An app's maps are
 * replaced, never changed: the same object means the same contents.
 */
export interface Routing {
  readonly apps: ReadonlyMap<string, Maps>;
  /** The target of a bare host: the only entry of the hosts map that belongs to no app. */
  readonly fallback: string | undefined;
}

/** A server as HAProxy reports it. */
export interface ObservedServer extends SlotServer {
  /** It gets no new requests. */
  readonly isOut: boolean;
}

export interface SlotServer {
  readonly slot: string;
  readonly server: string;
  readonly address: string;
}

/**
 * Servers that are in each slot's file and get an address at run time. HAProxy 2.6 reuses connections to such servers only: for
 * servers added at run time it keeps none idle, which triples the CPU time of a request.
 */
export const PLACES = ["w1", "w2", "w3", "w4"] as const;

/** The address of a place that is free. */
export const NOWHERE = "127.0.0.1:1";

export function isPlace(server: string): boolean {
  return PLACES.some((place) => place === server);
}
