import { readdir } from "node:fs/promises";
import { endService, isSupervised } from "../../../core/exec/runsv.js";
import type { Home } from "../../../core/home.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { openLimiter } from "./limits/limiter.js";

/** Stops every instance of a state folder; they start again with the next server. Returns how many were running. */
export async function stopAllInstances(home: Home, graceMs: number): Promise<number> {
  const ids = (await readdir(home.services()).catch(() => [])).filter(
    (name) => parseInstanceId(name) !== undefined,
  );
  const limits = await openLimiter(home.root, "sluice");
  const stopped = await Promise.all(
    ids.map(async (id) => {
      const isRunning = await isSupervised(home.service(id));
      if (isRunning) await endService(home.service(id), graceMs);
      // Of those that had ended before, too.
      await limits.remove(id);
      return isRunning;
    }),
  );
  return stopped.filter(Boolean).length;
}
