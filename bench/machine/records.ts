import { readFile } from "node:fs/promises";
import { RouteTables } from "../../core/records/routes/route-tables.js";
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

/** Where the proxy finds an instance of the app's only release: address and port. */
export async function instanceAddress(records: Database, app: string): Promise<string> {
  const address = (await new RouteTables(records).read(app)).releases[0]?.servers[0]?.address;
  if (address === undefined) throw new Error(`${app} has no instance`);
  return address;
}
