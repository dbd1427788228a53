import type { Database } from "../../../core/redis/database.js";

/** Redis closes the largest connections when all together take too much memory: none of Sluice's. */
export function keepWhenCrowded(redis: Database): void {
  redis.on("ready", () => {
    // It fails when the connection ends; the next one asks again.
    redis.call("CLIENT", "NO-EVICT", "on").catch(() => undefined);
  });
}
