import type { ReleaseLoad } from "../../core/records/routes/proxy-reports.js";
import type { RoutedRelease, RouteTable } from "../../core/records/routes/route-table.js";

/** What is to be done about a release now. */
export type Move =
  /** Its visitors have left, or had their time: it goes. */
  | { readonly kind: "retire"; readonly number: number }
  /** It stays on standby, but no cookie brings a visitor back to it. */
  | { readonly kind: "close"; readonly number: number }
  /** A preview that nobody visits: its instances are stopped until somebody does. */
  | { readonly kind: "sleep"; readonly number: number }
  /** A preview that has slept for too long: it is removed. */
  | { readonly kind: "expire"; readonly track: string };

/**
 * A release's load, as each proxy reports it; undefined for one that is silent, or has not counted it since it followed the
 * table that is looked at. By times that could not be told: two machines' clocks differ.
 */
export type Loads = ReadonlyMap<number, readonly (Load | undefined)[]>;
type Load = Pick<ReleaseLoad, "connections" | "idleSeconds">;

/**
 * Section 8 of the design as a decision: a replaced release stays until its last connection has closed (a sticky one until
 * its visitors were idle) or `drainSeconds` are over, and the newest of its track for `standbySeconds`, whatever comes last.
 * Pure; `now` in ms since 1970.
 */
export function nextMoves(table: RouteTable, loads: Loads, now: number): Move[] {
  return table.releases.flatMap((release): Move[] => {
    if (release.replacedAt === undefined) return previewMoves(release, loads.get(release.number) ?? [], now);
    if (release.asleep) return [{ kind: "retire", number: release.number }];
    const waitedSeconds = (now - release.replacedAt) / 1000;
    const isOver =
      waitedSeconds >= release.drainSeconds || isDrained(release, loads.get(release.number) ?? []);
    if (!isOver) return [];
    const isOnStandby = waitedSeconds < release.standbySeconds && isNewestReplaced(release, table);
    if (!isOnStandby) return [{ kind: "retire", number: release.number }];
    return release.sticky ? [{ kind: "close", number: release.number }] : [];
  });
}

/** Every proxy counted it since it was replaced, found nothing open, and (sticky) nobody who came lately. */
function isDrained(release: RoutedRelease, loads: readonly (Load | undefined)[]): boolean {
  return loads.every(
    (load) =>
      load !== undefined &&
      load.connections === 0 &&
      (!release.sticky || load.idleSeconds >= release.sessionIdleSeconds),
  );
}

function previewMoves(release: RoutedRelease, loads: readonly (Load | undefined)[], now: number): Move[] {
  const { number, track, asleep, since, expireSeconds } = release;
  if (isLeft(release, loads, now)) return [{ kind: "sleep", number }];
  const isExpired = asleep && expireSeconds > 0 && now - since >= expireSeconds * 1000;
  return isExpired ? [{ kind: "expire", track }] : [];
}

/** A release that may sleep, and that nobody has visited for long enough; every proxy has counted it. */
function isLeft(
  { sleepSeconds, asleep, since }: RoutedRelease,
  loads: readonly (Load | undefined)[],
  now: number,
): boolean {
  if (sleepSeconds === 0 || asleep || now - since < sleepSeconds * 1000) return false;
  return loads.every(
    (load) => load !== undefined && load.connections === 0 && load.idleSeconds >= sleepSeconds,
  );
}

/** Of several replaced releases of a track only the newest is kept on standby: each costs its memory. */
function isNewestReplaced(release: RoutedRelease, { releases }: RouteTable): boolean {
  return !releases.some(
    (other) => other.track === release.track && (other.replacedAt ?? 0) > (release.replacedAt ?? 0),
  );
}
