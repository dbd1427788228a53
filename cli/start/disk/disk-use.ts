import type { Home } from "../../../core/home.js";
import type { Settings } from "../../../core/settings/settings.js";
import { diskSpace, type DiskSpace } from "../../../server/pipeline/disk-space.js";
import { largestFolders, type LargeFolder } from "./largest-folders.js";

export interface DiskUse extends DiskSpace {
  readonly largest: readonly LargeFolder[];
}

/** How full the state folder's disk is, and what of the folder takes most. Throws when the folder is not there. */
export async function diskUse(home: Home, settings: Settings, path: string): Promise<DiskUse> {
  return { ...(await diskSpace({ home, settings })), largest: await largestFolders(home, path) };
}
