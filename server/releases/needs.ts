import type { Home } from "../../core/home.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import type { InstanceLogs } from "../engines/instance-logs.js";
import type { ReleaseStore } from "./release-store.js";

/** What is known about releases. */
export interface ReleasesNeeds {
  readonly home: Home;
  readonly logs: InstanceLogs;
  readonly releases: ReleaseStore;
  readonly routes: RouteTables;
}
