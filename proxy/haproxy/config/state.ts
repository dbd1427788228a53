export const MAPS = ["hosts", "visitors", "tracks", "splits", "slots"] as const;
/**
 * hosts: host → target (`APP/TRACK` or `APP/vN`). visitors: `TARGET|COOKIE` → `slotEntry`, `APP/vN|` → the same for whoever asks. tracks:
 * `APP/TRACK` → `APP/vN`. splits: `APP/TRACK` → `splitEntry`. slots: `APP/vN` → `slotEntry`.
 */
export type MapName = (typeof MAPS)[number];

/** The key of the hosts map that a bare host (the domain itself, an IP address) is looked up by. */
export const FALLBACK_HOST = "*";

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
