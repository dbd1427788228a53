import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { Settings } from "../../core/settings/settings.js";
import { publicUrl } from "./public-url.js";

type Serving = Pick<ReleaseRecord, "app" | "track" | "processes">;

/** Where a release's track is served; undefined when the release runs no `web`. Before its manifest is read, the track's. */
export function urlOfRelease(settings: Settings, release: Serving): string | undefined {
  const { processes } = release;
  const hasWeb = processes.some(({ name, quantity }) => name === "web" && quantity > 0);
  return processes.length === 0 || hasWeb ? publicUrl(settings, release) : undefined;
}

/** The same for the people who wait for it: the URL, or what runs instead of a `web` (`worker ×1, no web process`). */
export function whatServes(settings: Settings, release: Serving): string {
  const running = release.processes.filter(({ quantity }) => quantity > 0);
  const shown = running.length > 0 ? running : release.processes;
  const sizes = shown.map(({ name, quantity }) => `${name} ×${quantity}`).join(", ");
  return urlOfRelease(settings, release) ?? `${sizes}, no web process`;
}
