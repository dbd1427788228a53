import type { AppRoutes } from "../../proxy.js";
import { limitsEntry } from "./entries/limits-entry.js";

/** From when on an answer is slow, for the entries of the releases that are compared. Pure. `slots`: release → entry. */
export function limitsOf(routes: AppRoutes, slots: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [track, { canary, baseline, slow }] of routes.splits) {
    if (slow === undefined) continue;
    const sides = [
      [routes.tracks.get(track), slow.production],
      [baseline, slow.production],
      [canary, slow.canary],
    ] as const;
    for (const [release, [p90 = 0, p99 = 0]] of sides) {
      const entry = release === undefined ? undefined : slots.get(release);
      if (entry !== undefined) found.set(entry, limitsEntry.format({ p90: String(p90), p99: String(p99) }));
    }
  }
  return found;
}
