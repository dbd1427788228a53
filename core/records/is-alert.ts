import type { Redis } from "ioredis";
import { keys } from "../redis/keys.js";

/** Whether `sluice:alert`, whoever set it, takes every canary out of the traffic now. */
export async function isAlert(redis: Pick<Redis, "get">): Promise<boolean> {
  return (await redis.get(keys.alert)) === "yes";
}
