import type { Clock } from "../core/clock.js";
import type { User } from "../core/exec/exec.js";
import type { Home } from "../core/home.js";
import type { Log } from "../core/log.js";
import type { AppRecord } from "../core/records/apps/app-record.js";
import type { ProxyReports } from "../core/records/routes/proxy-reports.js";
import type { RouteTables } from "../core/records/routes/route-tables.js";
import type { ScaleDecisions } from "../core/records/scaling/scale-decisions.js";
import type { TrafficSeries } from "../core/records/traffic/traffic-series.js";
import type { Settings } from "../core/settings/settings.js";
import type { Engine } from "./engines/engine.js";
import type { InstanceLogs } from "./engines/instance-logs.js";
import type { Tasks } from "./engines/tasks.js";
import type { AppRemovals } from "./apps/app-removals.js";
import type { AppStore } from "./apps/app-store.js";
import type { BranchTracks } from "./routes/branch-tracks.js";
import type { ConfigStore } from "./apps/config-store.js";
import type { DrainingInstances } from "./routes/draining-instances.js";
import type { RecoveringApps } from "./releases/recovering-apps.js";
import type { RedisUsers } from "./apps/redis-users.js";
import type { ReleaseStore } from "./releases/release-store.js";
import type { ReleaseTurns } from "./releases/release-turns.js";

/** What the server's parts share. */
export interface Tools {
  readonly home: Home;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly logs: InstanceLogs;
  readonly tasks: Tasks;
  readonly apps: AppStore;
  readonly removals: AppRemovals;
  readonly releases: ReleaseStore;
  readonly branchTracks: BranchTracks;
  readonly config: ConfigStore;
  readonly redisUsers: RedisUsers;
  readonly routes: RouteTables;
  readonly proxyReports: ProxyReports;
  readonly leaving: DrainingInstances;
  readonly turns: ReleaseTurns;
  readonly recovering: RecoveringApps;
  readonly traffic: TrafficSeries;
  readonly scaleDecisions: ScaleDecisions;
  /** PATH of everything that Sluice runs. */
  readonly path: string;
  /** How this machine reaches the network (proxies, certificates), for builds and gates. */
  readonly networkEnv: Readonly<Record<string, string>>;
  /** Whether apps can have a user of their own. */
  readonly isRoot: boolean;
}

/** The app's own user, where the server may choose it. */
export function userOf(app: AppRecord, tools: Pick<Tools, "isRoot">): User | undefined {
  return tools.isRoot ? { uid: app.uid, gid: app.uid } : undefined;
}
