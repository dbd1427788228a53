import { groupBy } from "../../core/group-by.js";
import { releaseName } from "../../core/names.js";
import type { Phase } from "../../core/records/releases/phase.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { PRODUCTION, type RouteTable } from "../../core/records/routes/route-table.js";
import type { InstanceState } from "../engines/engine.js";
import { urlOfRelease } from "../releases/what-serves.js";
import { recentTraffic, type RecentTraffic } from "./recent-traffic.js";
import type { Tools } from "../tools.js";

export interface AppSummary {
  readonly app: string;
  /** Absent when production's release runs no `web`. */
  readonly url?: string;
  readonly tracks: readonly {
    readonly track: string;
    readonly release: string;
    readonly commit: string;
    readonly url?: string;
    /** A preview without instances; the next visit starts them. */
    readonly asleep: boolean;
    readonly traffic: RecentTraffic;
  }[];
  readonly instances: readonly InstanceSummary[];
}

export interface InstanceSummary {
  readonly id: string;
  readonly release: string;
  readonly address: string | undefined;
  readonly running: boolean;
  readonly pid: number | undefined;
  /** How often it ended and was started again. */
  readonly restarts: number;
}

export interface ReleaseSummary {
  readonly release: string;
  readonly commit: string;
  readonly branch: string;
  readonly track: string;
  readonly phase: Phase;
  /** Whether its track points to it, or it is replaced: `live`, `draining`, `standby`, or `no`. */
  readonly traffic: "live" | "draining" | "standby" | "no";
  readonly at: string;
  readonly by: string;
  readonly error?: string;
}

type SummaryTools = Pick<Tools, "apps" | "releases" | "routes" | "engine" | "settings" | "clock" | "traffic">;

/** Of each app what its route table names: an app has a hundred records, of which few serve. */
export async function appSummaries(tools: SummaryTools): Promise<AppSummary[]> {
  const [apps, states] = await Promise.all([tools.apps.list(), tools.engine.list()]);
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
    instances: states.map(({ id, address, running, pid, ends }) => ({
      id,
      release: id.split(".")[1] ?? "",
      address,
      running,
      pid,
      restarts: ends,
    })),
  };
}

/** Newest first. Throws `app-unknown`. */
export async function releaseSummaries(tools: SummaryTools, name: string): Promise<ReleaseSummary[]> {
  const app = await tools.apps.read(name);
  const [records, table] = await Promise.all([tools.releases.list(app.name), tools.routes.read(app.name)]);
  return records.map((record) => summarize(record, table));
}

function summarize(record: ReleaseRecord, table: RouteTable): ReleaseSummary {
  const { number, commit, branch, track, phase, at, by, error } = record;
  return {
    release: releaseName(number),
    commit,
    branch,
    track,
    phase,
    traffic: trafficOf(record, table),
    at,
    by,
    ...(error === undefined ? {} : { error: error.message.split("\n")[0] ?? "" }),
  };
}

function trafficOf(
  { number, track }: ReleaseRecord,
  { tracks, releases }: RouteTable,
): ReleaseSummary["traffic"] {
  if (tracks[track] === number) return "live";
  const routed = releases.find((release) => release.number === number);
  if (routed?.replacedAt === undefined) return "no";
  const isNewest = !releases.some(
    (other) => other.track === track && (other.replacedAt ?? 0) > (routed.replacedAt ?? 0),
  );
  return isNewest ? "standby" : "draining";
}
