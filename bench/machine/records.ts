import { readFile } from "node:fs/promises";
import { Database } from "../../core/redis/database.js";
import { Home } from "../../core/home.js";
import type { TestSluice } from "../../test/support/running/test-sluice.js";
import type { Workshop } from "../workshop.js";

/** The Redis that a Sluice keeps its records in. */
export async function recordsOf(workshop: Workshop, sluice: TestSluice): Promise<Database> {
  const home = new Home(sluice.home);
  const password = (await readFile(home.redis("password"), "utf8")).trim();
  const redis = new Database({ path: home.redis("redis.sock"), password });
  workshop.onClose(async () => redis.disconnect());
  return redis;
}
