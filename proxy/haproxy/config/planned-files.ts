import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { isNoRoom } from "../../../core/files/no-room.js";
import { paths } from "./paths.js";
import type { Plan } from "../runtime/plan.js";
import { MAPS, type HaproxyState, type MapName } from "./state.js";
import { mapText } from "./text/map-text.js";
import { slotText } from "./text/slot-text.js";

/**
 * The files that HAProxy starts with: the slots with their servers, and the maps. On a full disk they stay as they are, and
 * what they lack is written when there is room.
 */
export class PlannedFiles {
  private readonly slots = new Set<string>();
  private readonly maps = new Set<MapName>(MAPS);
  /** An earlier server may have had no room to update some files, so the first time every file is compared. */
  private isCompared = false;

  constructor(
    private readonly folder: string,
    /** Of each server (`lineOptions`). */
    private readonly options: string,
  ) {}

  /** Writes the state that a plan leads to. Returns false if there was no room for it. */
  async write({ next, added, leaving, maps }: Plan): Promise<boolean> {
    for (const { slot } of [...added, ...leaving]) this.slots.add(slot);
    for (const { map } of maps) this.maps.add(map);
    return this.catchUp(next);
  }

  /** Writes what there was no room for before. Returns whether the files are up to date with `state`. */
  async catchUp(state: HaproxyState): Promise<boolean> {
    if (!this.isCompared) for (const slot of state.slots) this.slots.add(slot);
    this.isCompared = true;
    try {
      for (const slot of this.slots) {
        const servers = state.servers.get(slot) ?? new Map<string, string>();
        await writeIfChanged(paths.slot(this.folder, slot), slotText(slot, servers, this.options));
        this.slots.delete(slot);
      }
      for (const map of this.maps) {
        await writeIfChanged(paths.map(this.folder, map), mapText(state, map));
        this.maps.delete(map);
      }
      return true;
    } catch (error) {
      if (isNoRoom(error)) return false;
      throw error;
    }
  }
}

async function writeIfChanged(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) !== text) await writeFileAtomically(path, text);
}
