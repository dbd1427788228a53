import type { RecentTraffic } from "../../../core/api/apps/apps.js";
import { groupBy } from "../../../core/group-by.js";
import { percentileMs, sumOf, type Traffic } from "../../../core/records/traffic/traffic.js";
import type { ApiNeeds } from "../needs.js";

const SECONDS = 60;

/** Track → its last minute, whatever release served it. */
export async function recentTraffic(
  { traffic, clock }: Pick<ApiNeeds, "traffic" | "clock">,
  app: string,
): Promise<(track: string) => RecentTraffic> {
  const now = clock.now();
  // To the clock of Redis it may be later.
  const range = { from: now - SECONDS * 1000, to: now + SECONDS * 1000, stepSeconds: 1 } as const;
  const releases = (await traffic.read(app, range)).flatMap((entry) => entry.releases);
  const byTrack = groupBy(releases, ({ track }) => track);
  return (track) => summarize(sumOf(byTrack.get(track) ?? []));
}

function summarize(traffic: Traffic): RecentTraffic {
  const { requests, answersOk, answers4xx, answers5xx, failed } = traffic;
  const over = answersOk + answers4xx + answers5xx + failed;
  return {
    requestsPerSecond: requests / SECONDS,
    errorShare: over === 0 ? null : (answers5xx + failed) / over,
    p50: percentileMs(traffic, 0.5) ?? null,
    p99: percentileMs(traffic, 0.99) ?? null,
  };
}
