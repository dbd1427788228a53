import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import { releaseName } from "../../../core/names.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import type { RouteTable } from "../../../core/records/routes/route-table.js";
import type { ApiNeeds } from "../needs.js";

/** Newest first. Throws `app-unknown`. */
export async function releaseSummaries(
  tools: Pick<ApiNeeds, "apps" | "releases" | "routes">,
  name: string,
): Promise<ReleaseSummary[]> {
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
