import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

/** Whether `sluice:alert`, whoever set it, takes every canary out of the traffic now. */
export async function isAlert(redis: Pick<Database, "get">): Promise<boolean> {
  try {
    return (await redis.get(keys.alert)) === "yes";
  } catch (error) {
    // A hash or a list is no word, whoever set it; and nothing to stop all else for.
    if (error instanceof Error && error.message.includes("WRONGTYPE")) return false;
    throw error;
  }
}
