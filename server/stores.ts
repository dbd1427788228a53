import type { ErrorPages } from "../core/records/routes/error-pages.js";
import type { ProxyReports } from "../core/records/routes/proxy-reports.js";
import type { RouteTables } from "../core/records/routes/route-tables.js";
import type { ScaleDecisions } from "../core/records/scaling/scale-decisions.js";
import type { TrafficSeries } from "../core/records/traffic/traffic-series.js";
import type { AppStore } from "./apps/app-store.js";
import type { ConfigStore } from "./apps/config-store.js";
import type { RedisUsers } from "./apps/redis-users.js";
import type { ReleaseStore } from "./releases/release-store.js";
import type { BranchTracks } from "./routes/branch-tracks.js";

/** What the server keeps in Redis about apps and their releases. */
export interface Stores {
  readonly apps: AppStore;
  readonly config: ConfigStore;
  readonly errorPages: ErrorPages;
  readonly redisUsers: RedisUsers;
  readonly releases: ReleaseStore;
  readonly branchTracks: BranchTracks;
  readonly routes: RouteTables;
  readonly proxyReports: ProxyReports;
  readonly traffic: TrafficSeries;
  readonly scaleDecisions: ScaleDecisions;
}
