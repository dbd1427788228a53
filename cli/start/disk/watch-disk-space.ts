import type { Home } from "../../../core/home.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Settings } from "../../../core/settings/settings.js";
import { diskSpace } from "../../../server/pipeline/disk-space.js";
import { largestFolders } from "./largest-folders.js";

export interface WatchOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly path: string;
  readonly log: Log;
  readonly everyMs?: number;
}

const TICK_MS = 5000;

/**
 * Looks at the disk all the time, not only during a release: instances fill it too. The log says when it is full, with what
 * takes most of it, and when there is room again.
 */
export function watchDiskSpace({ home, settings, path, log, everyMs = TICK_MS }: WatchOptions): {
  stop(): Promise<void>;
} {
  let wasFull = false;
  const ticker = new Ticker({
    everyMs,
    job: async () => {
      const { isFull, ...space } = await diskSpace({ home, settings });
      if (isFull === wasFull) return;
      wasFull = isFull;
      if (!isFull) log.info(space, "the disk has room again");
      else
        log.error(
          { ...space, largest: await largestFolders(home, path) },
          "the disk is full: pushes are declined until there is room",
        );
    },
    onError: (error) => log.warn({ err: error }, "could not look at the disk"),
  });
  ticker.start();
  return ticker;
}
