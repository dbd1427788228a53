import { mkdir } from "node:fs/promises";
import type { Database } from "../../core/redis/database.js";
import { Home } from "../../core/home.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import { ReleaseStore } from "../../server/releases/release-store.js";
import type { TestSluice } from "../../test/support/running/test-sluice.js";
import { fillerName } from "./filler-apps.js";

/**
 * Gives each of the first `count` filler apps the record of the release that its table names, settled and with one instance,
 * and a folder in place of a repository.
 */
export async function addFillerRecords(sluice: TestSluice, redis: Database, count: number): Promise<void> {
  const home = new Home(sluice.home);
  const store = new ReleaseStore(redis);
  for (let index = 1; index <= count; index++) {
    const app = fillerName(index);
    await mkdir(home.repository(app), { recursive: true });
    const draft = await store.draft({
      ...{ app, commit: "0".repeat(40), branch: "master", track: PRODUCTION, source: "push", by: "bench" },
      ...{ steps: "deploy", processes: [{ name: "worker", command: "exec sleep 1000000", quantity: 1 }] },
    });
    const instance = { id: `${app}.v${draft.number}.worker.1`, process: "worker", index: 1 };
    await store.save({ ...draft, phase: "settled", instances: [instance] });
  }
}
