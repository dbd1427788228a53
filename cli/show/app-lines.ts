import type { RecentTraffic, AppSummary } from "../../core/api/apps/apps.js";
import { table } from "./table.js";

const NO_WEB = "no web process";

/** Apps for people: what serves them, and its traffic; each track with the instances of its own release. */
export function appLines(summaries: readonly AppSummary[]): string[] {
  if (summaries.length === 0) return ["No apps yet: git push creates one."];
  const rows = summaries.flatMap(({ app, tracks, instances, url }) => {
    if (tracks.length === 0) return [[app, "-", "nothing live", url ?? NO_WEB, runningText(instances)]];
    return tracks.map(({ track, release, url: trackUrl, asleep, traffic }) => {
      const own = instances.filter((instance) => instance.release === release);
      return [
        app,
        track,
        release,
        trackUrl ?? NO_WEB,
        asleep ? "asleep" : runningText(own),
        ...trafficCells(traffic),
      ];
    });
  });
  return table(["app", "track", "release", "url", "instances", "req/s", "errors", "p50", "p99"], rows);
}

function runningText(instances: AppSummary["instances"]): string {
  return `${instances.filter(({ running }) => running).length}/${instances.length} running`;
}

/** Of the last minute. */
function trafficCells({ requestsPerSecond, errorShare, p50, p99 }: RecentTraffic): string[] {
  const ms = (value: number | null): string => (value === null ? "-" : `${Number(value.toPrecision(2))} ms`);
  return [
    requestsPerSecond.toFixed(1),
    errorShare === null ? "-" : `${(errorShare * 100).toFixed(1)} %`,
    ms(p50),
    ms(p99),
  ];
}
