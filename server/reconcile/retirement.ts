import type { ReleaseLoad } from "../../core/records/proxy-reports.js";
import type { RoutedRelease, RouteTable } from "../../core/records/route-table.js";

/** What is to be done about a replaced release now. */
export type Move =
  /** Its visitors have left, or had their time: it goes. */
  | { readonly kind: "retire"; readonly number: number }
  /** It stays on standby, but no cookie brings a visitor back to it. */
  | { readonly kind: "close"; readonly number: number };

/** A release's load, as each proxy that is alive reports it; undefined for a proxy that has not counted it yet. */
export type Loads = ReadonlyMap<number, readonly (ReleaseLoad | undefined)[]>;

/**
 * Section 8 of the design as a decision: a replaced release stays until its last connection has closed (a sticky one until
 * its visitors were idle) or `drainSeconds` are over, and the newest of its track for `standbySeconds`, whatever comes last.
 * Pure; `now` in ms since 1970.
 */
export function nextMoves(table: RouteTable, loads: Loads, now: number): Move[] {
  return table.releases.flatMap((release): Move[] => {
    if (release.replacedAt === undefined) return [];
    const waitedSeconds = (now - release.replacedAt) / 1000;
    const isOver =
      waitedSeconds >= release.drainSeconds ||
      isDrained(release, loads.get(release.number) ?? [], release.replacedAt);
    if (!isOver) return [];
    const isOnStandby = waitedSeconds < release.standbySeconds && isNewestReplaced(release, table);
    if (!isOnStandby) return [{ kind: "retire", number: release.number }];
    return release.sticky ? [{ kind: "close", number: release.number }] : [];
  });
}

/** Every proxy counted it since it was replaced, found nothing open, and (sticky) nobody who came lately. */
function isDrained(
  release: RoutedRelease,
  loads: readonly (ReleaseLoad | undefined)[],
  replacedAt: number,
): boolean {
  return loads.every(
    (load) =>
      load !== undefined &&
      load.at > replacedAt &&
      load.connections === 0 &&
      (!release.sticky || load.idleSeconds >= release.sessionIdleSeconds),
  );
}

/** Of several replaced releases of a track only the newest is kept on standby: each costs its memory. */
function isNewestReplaced(release: RoutedRelease, { releases }: RouteTable): boolean {
  return !releases.some(
    (other) => other.track === release.track && (other.replacedAt ?? 0) > (release.replacedAt ?? 0),
  );
}
