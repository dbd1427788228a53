import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import type { ProxyReports } from "../../core/records/routes/proxy-reports.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import type { ReleaseStore } from "../releases/release-store.js";
import type { BranchTracks } from "./branch-tracks.js";

/** What traffic is moved with. */
export interface RoutesNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly releases: ReleaseStore;
  readonly branchTracks: BranchTracks;
  readonly routes: RouteTables;
  readonly proxyReports: ProxyReports;
}
