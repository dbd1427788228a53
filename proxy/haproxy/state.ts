export const MAPS = ["hosts", "tracks", "slots"] as const;
/** hosts: host → target. tracks: `APP/TRACK` → `APP/vN`. slots: `APP/vN` → `SLOT|TRACK|sticky or free`. */
export type MapName = (typeof MAPS)[number];

/** What HAProxy does at a moment: its maps, and the servers of every slot that has some. */
export interface HaproxyState {
  readonly maps: Readonly<Record<MapName, ReadonlyMap<string, string>>>;
  /** Slot → server → address. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Servers that get nothing new and wait for their last connection to close. */
  readonly leaving: readonly SlotServer[];
  /** Every slot there is. */
  readonly slots: readonly string[];
}

export interface SlotServer {
  readonly slot: string;
  readonly server: string;
  readonly address: string;
}

/** `SLOT|TRACK|sticky` in the slots map. */
export function slotEntry(slot: string, track: string, sticky: boolean): string {
  return `${slot}|${track}|${sticky ? "sticky" : "free"}`;
}

export function slotOfEntry(entry: string): string {
  return entry.split("|")[0] ?? "";
}
