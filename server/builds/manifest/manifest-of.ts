import type { Home } from "../../../core/home.js";
import type { ReleaseManifest } from "../../../core/records/releases/release-manifest.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import type { Settings } from "../../../core/settings/settings.js";
import { keptManifest, readManifest } from "./manifest.js";

/** What a release's files said when it was checked out. Versions that did not keep it left only the tree: that is read. */
export async function manifestOf(
  { home, settings }: { readonly home: Home; readonly settings: Settings },
  { app, number, manifest }: Pick<ReleaseRecord, "app" | "number" | "manifest">,
): Promise<ReleaseManifest> {
  if (manifest !== undefined) return manifest;
  return keptManifest(await readManifest(home.tree(app, number), settings));
}
