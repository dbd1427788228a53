import { readdir } from "node:fs/promises";
import { removeTree } from "../../core/files/remove-tree.js";
import { idPrefix } from "../../core/instances/instance-id.js";
import { parseReleaseName } from "../../core/names.js";
import { PRODUCTION, type RouteTable } from "../../core/records/routes/route-table.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { DependencyCache } from "../builds/dependency-cache.js";
import type { PipelineNeeds } from "./needs.js";

/** How many records (not trees) of releases an app keeps. */
const KEPT_RECORDS = 100;

/** Removes what Sluice made for releases that are neither running nor among the last few that served. */
export async function prune(tools: PipelineNeeds, app: string): Promise<void> {
  // Before the records: one that begins just now has its record before its folder.
  const folders = await readdir(tools.home.releases(app)).catch(() => []);
  const [records, table] = await Promise.all([tools.releases.list(app), tools.routes.read(app)]);
  const kept = keptReleases(records, table, tools.settings.limits.keepReleases);
  for (const name of folders) {
    const number = parseReleaseName(name);
    if (number === undefined || kept.has(number)) continue;
    await removeTree(tools.home.release(app, number));
    await tools.logs.forget(idPrefix(app, number));
  }
  for (const record of records.slice(KEPT_RECORDS)) {
    if (!kept.has(record.number)) await tools.releases.remove(app, record.number);
  }
  await new DependencyCache(tools).prune(app);
}

/**
 * The last `keep` that served as production, among them the present one and the one that a rollback goes back to; what runs;
 * and what is being made. `records`: newest first.
 */
export function keptReleases(
  records: readonly ReleaseRecord[],
  { releases, history }: Pick<RouteTable, "releases" | "history">,
  keep: number,
): Set<number> {
  const last = history.slice(-2);
  const canServe = records.filter(hasServedProduction);
  canServe.sort((a, b) => last.indexOf(b.number) - last.indexOf(a.number));
  const unfinished = records.filter(({ phase }) => !["live", "settled", "retired", "failed"].includes(phase));
  const kept = [...canServe.slice(0, keep), ...unfinished, ...releases];
  return new Set(kept.map(({ number }) => number));
}

/** It served as production, or does. */
export function hasServedProduction({ phase, track }: ReleaseRecord): boolean {
  return track === PRODUCTION && (phase === "live" || phase === "settled" || phase === "retired");
}
