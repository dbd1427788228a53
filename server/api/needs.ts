import type { Clock } from "../../core/clock.js";
import type { Home } from "../../core/home.js";
import type { Log } from "../../core/log.js";
import type { ProxyReports } from "../../core/records/routes/proxy-reports.js";
import type { RouteTables } from "../../core/records/routes/route-tables.js";
import type { ScaleDecisions } from "../../core/records/scaling/scale-decisions.js";
import type { TrafficSeries } from "../../core/records/traffic/traffic-series.js";
import type { Settings } from "../../core/settings/settings.js";
import type { AppStore } from "../apps/app-store.js";
import type { ConfigStore } from "../apps/config-store.js";
import type { RedisUsers } from "../apps/redis-users.js";
import type { Engine } from "../engines/engine.js";
import type { InstanceLogs } from "../engines/instance-logs.js";
import type { RecoveringApps } from "../releases/recovering-apps.js";
import type { ReleaseStore } from "../releases/release-store.js";

/** What the API shows and changes. */
export interface ApiNeeds {
  readonly home: Home;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly logs: InstanceLogs;
  readonly apps: AppStore;
  readonly releases: ReleaseStore;
  readonly redisUsers: RedisUsers;
  readonly config: ConfigStore;
  readonly routes: RouteTables;
  readonly proxyReports: ProxyReports;
  readonly recovering: RecoveringApps;
  readonly traffic: TrafficSeries;
  readonly scaleDecisions: ScaleDecisions;
}
