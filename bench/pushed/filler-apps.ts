import type { Database } from "../../core/redis/database.js";
import { Home } from "../../core/home.js";
import { ProxyReports } from "../../core/records/routes/proxy-reports.js";
import { PRODUCTION, type RouteTable } from "../../core/records/routes/route-table.js";
import { RouteTables } from "../../core/records/routes/route-tables.js";
import { openSecretBox } from "../../core/secrets.js";
import { AppStore } from "../../server/apps/app-store.js";
import { eventually } from "../../test/support/eventually.js";
import type { TestSluice } from "../../test/support/running/test-sluice.js";

const FIRST_UID = 300_000;
const ROUTED_TIMEOUT_MS = 60_000;

/**
 * Makes `count` apps known: a record and a route table with a release and a sleeping preview each, as pushes would write
 * them, all releases on one server that runs already. Resolves when HAProxy routes them.
 */
export async function addFillerApps(
  sluice: TestSluice,
  redis: Database,
  count: number,
  address: string,
): Promise<void> {
  if (count === 0) return;
  const tables = new RouteTables(redis);
  const store = new AppStore(redis, await openSecretBox(new Home(sluice.home).key()), FIRST_UID, []);
  let revision = 0;
  for (let index = 1; index <= count; index++) {
    await store.ensure(fillerName(index), { by: "bench" });
    revision = await tables.update(fillerName(index), (table) => withRelease(table, address));
  }
  const reports = new ProxyReports(redis);
  await eventually(
    "the proxy follows",
    async () => (await reports.members()).some(({ report }) => report.revision >= revision),
    ROUTED_TIMEOUT_MS,
  );
  for (const index of [1, Math.ceil(count / 2), count]) {
    const { status } = await sluice.get(fillerName(index));
    if (status !== 200) throw new Error(`${fillerName(index)} answers with status ${status}`);
  }
}

export function fillerName(index: number): string {
  return `filler-${index}`;
}

function withRelease(table: RouteTable, address: string): RouteTable {
  const release = {
    number: 1,
    track: PRODUCTION,
    servers: [{ id: `${table.app}.v1.web.1`, address }],
    sticky: false,
    asleep: false,
    sleepSeconds: 0,
    expireSeconds: 0,
    since: 0,
    drainSeconds: 900,
    standbySeconds: 600,
    sessionIdleSeconds: 900,
  };
  const preview = { ...release, number: 2, track: "feature", servers: [], asleep: true, sleepSeconds: 1800 };
  return { ...table, tracks: { [PRODUCTION]: 1, feature: 2 }, releases: [release, preview] };
}
