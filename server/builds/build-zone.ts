import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { isPreview } from "../../core/records/routes/route-table.js";

export type BuildZone = "production" | "previews";

/**
 * Builds share what they have downloaded and installed with builds of their zone alone: package managers check little of what
 * lies in their caches, and a branch's code must not get into production by way of them.
 */
export function buildZone({ track }: Pick<ReleaseRecord, "track">): BuildZone {
  return isPreview(track) ? "previews" : "production";
}
