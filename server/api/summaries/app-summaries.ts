import { coversApp, type Scope } from "../../../core/api/access/scope.js";
import type { AppSummary } from "../../../core/api/apps/apps.js";
import { groupBy } from "../../../core/group-by.js";
import { releaseName } from "../../../core/names.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { PRODUCTION, type RouteTable } from "../../../core/records/routes/route-table.js";
import type { InstanceState } from "../../engines/engine.js";
import { urlOfRelease } from "../../releases/what-serves.js";
import { recentTraffic } from "./recent-traffic.js";
import type { ApiNeeds } from "../needs.js";

type SummaryTools = Pick<
  ApiNeeds,
  "apps" | "releases" | "routes" | "engine" | "settings" | "clock" | "traffic"
>;

/** Of each app in the scope what its route table names: an app has a hundred records, of which few serve. */
export async function appSummaries(tools: SummaryTools, scope: Pick<Scope, "apps">): Promise<AppSummary[]> {
  const [all, states] = await Promise.all([tools.apps.list(), tools.engine.list()]);
  const apps = all.filter(({ name }) => coversApp(scope, name));
  const tables = await tools.routes.readMany(apps.map(({ name }) => name));
  const statesOf = groupBy(states, ({ id }) => id.split(".")[0] ?? "");
  return Promise.all(tables.map(async (table) => summaryOf(tools, table, statesOf.get(table.app) ?? [])));
}

async function summaryOf(
  tools: SummaryTools,
  { app, tracks, releases }: RouteTable,
  states: readonly InstanceState[],
): Promise<AppSummary> {
  const [records, lastMinuteOf] = await Promise.all([
    tools.releases.findMany(app, Object.values(tracks)),
    recentTraffic(tools, app),
  ]);
  const recordOf = (number: number | undefined): ReleaseRecord | undefined =>
    records.find((record) => record.number === number);
  const urlOf = (track: string): { url?: string } => {
    const { processes = [] } = recordOf(tracks[track]) ?? {};
    const url = urlOfRelease(tools.settings, { app, track, processes });
    return url === undefined ? {} : { url };
  };
  return {
    app,
    ...urlOf(PRODUCTION),
    tracks: Object.entries(tracks).map(([track, number]) => ({
      track,
      release: releaseName(number),
      commit: recordOf(number)?.commit ?? "",
      ...urlOf(track),
      asleep: releases.some((release) => release.number === number && release.asleep),
      traffic: lastMinuteOf(track),
    })),
    instances: states.map(({ id, address, running, pid, ends, lastEnd }) => ({
      id,
      release: id.split(".")[1] ?? "",
      address,
      running,
      pid,
      restarts: ends,
      ...(lastEnd === undefined ? {} : { lastEnd }),
    })),
  };
}
