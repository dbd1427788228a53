import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Database } from "../../../core/redis/database.js";

const TICK_MS = 2000;
const MEGABYTE = 1024 * 1024;
/** Of what apps may take in all. */
const SHARE = 0.125;

/**
 * Redis keeps every script that was ever sent, beyond all limits (redis.io, "Eval scripting"): an app that writes values into
 * its scripts' texts would take all memory. Removes them when they take too much; a client then sends its script again.
 */
export function limitScriptCache(
  redis: Database,
  appsMemoryMegabytes: number,
  log: Log,
): { stop(): Promise<void> } {
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      if (redis.status !== "ready") return;
      const bytes = scriptBytes(await redis.info("memory"));
      if (bytes <= SHARE * appsMemoryMegabytes * MEGABYTE) return;
      await redis.script("FLUSH");
      log.warn(
        { bytes },
        "removed the scripts that the apps' Redis had cached: apps should pass values as arguments, not in the text",
      );
    },
    onError: (error) => log.debug({ err: error }, "could not look at the script cache of the apps' Redis"),
  });
  ticker.start();
  return ticker;
}

/** The texts, and what Lua has made of them. */
function scriptBytes(info: string): number {
  const bytes = ["used_memory_scripts_eval", "used_memory_vm_eval"].map((name) =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0),
  );
  return bytes.reduce((sum, each) => sum + each, 0);
}
