import { BASELINE, CANARY } from "../../../core/records/routes/route-table.js";
import type { AppRoutes, Split } from "../../proxy.js";
import { askedEntry } from "./entries/slot-entry.js";
import { drawOf } from "./entries/split-entry.js";
import { versionOf } from "./entries/target.js";

/**
 * Visitors about whom nothing is left to decide. Maps a target and a cookie up to its draw (`APP/TRACK|` without a cookie,
 * `APP/TRACK|TRACK.vN`, `APP/TRACK|TRACK.vN.DRAW`) to the `slotEntry` of the release that they get, with no change to their cookie. This one lookup is enough for most requests; for
 * the others, the rules of `trafficFrontend` lead to the same release. The targets of a release (`APP/vN|`), the canary and
 * its baseline have the entry for visitors who ask for it. Pure. `slots`: release → entry.
 */
export function visitorsOf(routes: AppRoutes, slots: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  const add = (target: string, cookie: string, release: string): void => {
    const entry = slots.get(release);
    if (entry === undefined) return;
    const isAsked = target === release || [CANARY, BASELINE].includes(nameOf(target));
    found.set(`${target}|${cookie}`, isAsked ? askedEntry(entry) : entry);
  };
  for (const release of routes.releases.keys()) add(release, "", release);
  for (const [track, release] of routes.tracks) {
    const split = routes.splits.get(track);
    // The mode header and the goal can only be checked when a request comes.
    if (split?.header !== undefined || split?.goal !== undefined) continue;
    const isSplit = split?.canary !== undefined && split.share > 0;
    if (!isSplit && routes.releases.get(release)?.sticky === false) add(track, "", release);
    const sides = [[nameOf(track), release] as const, ...(isSplit ? othersOf(split) : [])];
    for (const [name, kept] of sides) {
      const cookie = `${name}.${versionOf(kept)}`;
      add(track, cookie, kept);
      if (isSplit) add(track, `${cookie}.${drawOf(split) ?? ""}`, kept);
    }
  }
  return found;
}

function othersOf({ canary, baseline }: Split): (readonly [track: string, release: string])[] {
  return [
    ...(canary === undefined ? [] : [[CANARY, canary] as const]),
    ...(baseline === undefined ? [] : [[BASELINE, baseline] as const]),
  ];
}

/** `APP/TRACK` → `TRACK` */
function nameOf(track: string): string {
  return track.slice(track.indexOf("/") + 1);
}
