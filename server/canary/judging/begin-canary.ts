import { parseReleaseName } from "../../../core/names.js";
import type { EventRecord } from "../../../core/records/events/event-record.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { CANARY, PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { CanaryNeeds } from "../needs.js";
import { newCanary, type CanaryRecord } from "../canary-record.js";
import type { CanaryStore } from "../canary-store.js";

/** The record of a canary that is live: the one there is, or a new one, from the moment it went live on. */
export async function beginCanary(
  { routes }: Pick<CanaryNeeds, "routes">,
  store: CanaryStore,
  release: ReleaseRecord,
): Promise<CanaryRecord> {
  const known = await store.find(release.app, release.number);
  if (known !== undefined) return known;
  const [last] = await store.list(release.app);
  if (last !== undefined && last.outcome === undefined) await store.save({ ...last, outcome: "replaced" });
  await store.prune(release.app);
  const { tracks } = await routes.read(release.app);
  const began = Date.parse(release.reachedAt.live ?? release.at);
  const record = { ...newCanary(release.app, release.number, began), beside: tracks[PRODUCTION] ?? null };
  await store.save(record);
  return record;
}

/** The same when a canary went live, if it still is one and none that came after it has a record. Nothing for other events. */
export async function beginCanaryOf(
  tools: Pick<CanaryNeeds, "routes" | "releases">,
  store: CanaryStore,
  { type, app, release: name = "" }: EventRecord,
): Promise<void> {
  const number = parseReleaseName(name);
  if (type !== "canary.live" || number === undefined) return;
  const release = await tools.releases.find(app, number);
  const [last] = await store.list(app);
  if (release?.track === CANARY && (last?.release ?? 0) < number) await beginCanary(tools, store, release);
}
