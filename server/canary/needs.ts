import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import type { ProxyReports } from "../../core/records/routes/proxy-reports.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import type { RecoveringApps } from "../releases/recovering-apps.js";
import type { ReleaseStore } from "../releases/release-store.js";

/** What a canary is judged and moved with. */
export interface CanaryNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly releases: ReleaseStore;
  readonly routes: RouteTables;
  readonly proxyReports: ProxyReports;
  readonly recovering: RecoveringApps;
}
