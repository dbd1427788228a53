import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import type { ProxyReports } from "../../core/records/routes/proxy-reports.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import type { Settings } from "../../core/settings/settings.js";
import type { AppStore } from "../apps/app-store.js";
import type { RecoveringApps } from "../releases/recovering-apps.js";
import type { ReleaseStore } from "../releases/release-store.js";
import type { BranchTracks } from "../routes/branch-tracks.js";
import type { Machine } from "../machine.js";

/** What deliveries are worked on with. */
export interface WebhooksNeeds extends Pick<Machine, "home" | "networkEnv"> {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly apps: AppStore;
  readonly releases: ReleaseStore;
  readonly branchTracks: BranchTracks;
  readonly routes: RouteTables;
  readonly proxyReports: ProxyReports;
  readonly recovering: RecoveringApps;
}
