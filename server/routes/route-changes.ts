import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { firstShare } from "../../core/records/releases/canary-settings.js";
import {
  CANARY,
  isPreview,
  PRODUCTION,
  type RoutedCanary,
  type RoutedRelease,
  type RouteServer,
  type RouteTable,
} from "../../core/records/routes/route-table.js";
import { withDeclared } from "./own-domains.js";

/** So far nobody goes back one by one. */
const LONGEST_HISTORY = 20;

/** The table with a release that can be reached by its own name, but that no track points to yet. */
export function withRelease(table: RouteTable, record: ReleaseRecord, now: number): RouteTable {
  const others = table.releases.filter(({ number }) => number !== record.number);
  const known = table.releases.find(({ number }) => number === record.number);
  const release = {
    ...routedRelease(record, known?.since ?? now),
    ...definedOnly({ replacedAt: known?.replacedAt, sizedAt: known?.sizedAt }),
  };
  return { ...table, releases: [...others, release].sort(byNumber) };
}

/**
 * The switch: the release takes its track; the one that had it is replaced, from `now` (ms since 1970) on. A canary that
 * takes production is no canary any more.
 */
export function withLive(table: RouteTable, record: ReleaseRecord, now: number): RouteTable {
  const before = table.tracks[record.track];
  const known = table.releases.find(({ number }) => number === record.number);
  const sizedAt = before === record.number ? known?.sizedAt : now;
  const release = {
    ...routedRelease(record, known?.since ?? now),
    ...definedOnly({ sizedAt: record.track === PRODUCTION ? sizedAt : undefined }),
  };
  const others = table.releases
    .filter(({ number }) => number !== record.number)
    .map((release) => (release.number === before ? { ...release, replacedAt: now } : release));
  const left = Object.entries(table.tracks).filter(([, number]) => number !== record.number);
  const tracks = { ...Object.fromEntries(left), [record.track]: record.number };
  const { modeHeader, canary, errorPage, ...rest } = table;
  // A release that is gone back to leaves the domains: visitors of a newer one would find nothing.
  const isNewest = record.track === PRODUCTION && record.number > Math.max(0, ...table.history);
  return {
    ...rest,
    ...(isNewest ? declaredBy(table, record) : {}),
    tracks,
    releases: [...others, release].sort(byNumber),
    history: record.track === PRODUCTION ? historyWith(table, record.number) : table.history,
    ...definedOnly({
      canary: tracks[CANARY] === undefined ? undefined : canaryAfter(canary, record),
      modeHeader: record.track === PRODUCTION ? ownHeader(record) : modeHeader,
      errorPage: isNewest ? record.manifest?.errorPage : errorPage,
    }),
  };
}

/** What its app.json says of domains, https and visitors. */
function declaredBy(
  table: RouteTable,
  { manifest }: ReleaseRecord,
): Pick<RouteTable, "domains" | "https" | "access" | "limits" | "accessLog"> {
  return {
    domains: withDeclared(table, manifest?.domains ?? []).domains,
    https: manifest?.https ?? { mode: "redirect" },
    access: manifest?.access ?? { allowAddresses: [], previewAddresses: [] },
    limits: manifest?.limits ?? {},
    accessLog: manifest?.accessLog ?? false,
  };
}

/** What goes back to a release takes those after it back; any other release comes after the one that serves. */
function historyWith({ history, tracks }: RouteTable, number: number): number[] {
  const known = history.length === 0 ? [tracks[PRODUCTION] ?? number] : history;
  const index = known.indexOf(number);
  return index < 0 ? [...known, number].slice(-LONGEST_HISTORY) : known.slice(0, index + 1);
}

/** A new canary begins with its own share, unless an admin chose one. */
function canaryAfter(
  before: RoutedCanary | undefined,
  { track, canary }: ReleaseRecord,
): RoutedCanary | undefined {
  if (track !== CANARY) return before;
  const share = before?.isManual ? before.share : firstShare(canary);
  const isManual = before?.isManual ?? false;
  return { share, isManual, ...definedOnly({ goal: canary.goal?.path, header: ownHeader({ canary }) }) };
}

function ownHeader({ canary }: Pick<ReleaseRecord, "canary">): string | undefined {
  return canary.header === "x-client-mode" ? undefined : canary.header;
}

function definedOnly<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/** The table with another share for the canary; the same when there is none. */
export function withShare(table: RouteTable, share: number, isManual: boolean): RouteTable {
  return table.canary === undefined ? table : { ...table, canary: { ...table.canary, share, isManual } };
}

/** The table with other limits for slow answers; the same when there is no canary or they are the same. */
export function withSlowLimits(table: RouteTable, slow: RoutedCanary["slow"]): RouteTable {
  const { canary } = table;
  if (canary === undefined || JSON.stringify(canary.slow) === JSON.stringify(slow)) return table;
  return { ...table, canary: { ...canary, slow } };
}

/** The table without the canary: nobody is brought to it, whatever their cookie says. */
export function withoutCanary(table: RouteTable, now: number): RouteTable {
  const number = table.tracks[CANARY];
  return number === undefined ? table : withoutVisitors(withoutTrack(table, CANARY, now), number);
}

/** The table without a release that never served, or serves no more and has been left by its visitors. */
export function withoutUnvisited(table: RouteTable, number: number): RouteTable {
  const isVisited = table.releases.some(
    (release) => release.number === number && release.replacedAt !== undefined,
  );
  return isVisited || Object.values(table.tracks).includes(number) ? table : withoutRelease(table, number);
}

/** The table without a release; a track that pointed to it has none. */
export function withoutRelease(table: RouteTable, number: number): RouteTable {
  return {
    ...table,
    tracks: Object.fromEntries(Object.entries(table.tracks).filter(([, served]) => served !== number)),
    releases: table.releases.filter((release) => release.number !== number),
  };
}

/** A track that nobody pushes to any more: its release gets nothing new. */
export function withoutTrack(table: RouteTable, track: string, now: number): RouteTable {
  const gone = table.tracks[track];
  const tracks = Object.fromEntries(Object.entries(table.tracks).filter(([name]) => name !== track));
  const { canary, ...rest } = table;
  return {
    ...rest,
    ...definedOnly({ canary: track === CANARY ? undefined : canary }),
    tracks,
    releases: table.releases.map((release) =>
      release.number === gone ? { ...release, replacedAt: now, standbySeconds: 0 } : release,
    ),
  };
}

/** A replaced release whose visitors' cookies no longer bring them back. */
export function withoutVisitors(table: RouteTable, number: number): RouteTable {
  return {
    ...table,
    releases: table.releases.map((release) =>
      release.number === number ? { ...release, sticky: false } : release,
    ),
  };
}

function routedRelease(
  { number, track, instances, serving, scale, processes }: ReleaseRecord,
  since: number,
): RoutedRelease {
  return {
    number,
    track,
    servers: serversOf({ instances }),
    // One that is scaled to none has visitors, who are asked to come back.
    ...(processes.some(({ name }) => name === "web") ? {} : { withoutWeb: true as const }),
    sticky: serving.sticky,
    asleep: false,
    sleepSeconds: serving.sleepSeconds,
    expireSeconds: serving.expireSeconds,
    since,
    drainSeconds: serving.drainSeconds,
    standbySeconds: serving.standbySeconds,
    sessionIdleSeconds: serving.sessionIdleSeconds,
    ...definedOnly({ scale: track === PRODUCTION ? scale : undefined }),
  };
}

function serversOf({ instances }: Pick<ReleaseRecord, "instances">): RouteServer[] {
  return instances.flatMap(({ id, address }) => (address === undefined ? [] : [{ id, address }]));
}

function byNumber(a: RoutedRelease, b: RoutedRelease): number {
  return a.number - b.number;
}

/** The table with a release's servers where they are now. */
export function withInstances(table: RouteTable, record: ReleaseRecord): RouteTable {
  const servers = serversOf(record);
  return {
    ...table,
    releases: table.releases.map((release) =>
      release.number === record.number ? { ...release, servers } : release,
    ),
  };
}

/** The table with one server of a release at another address; the same table when it is there, or is not in it. */
export function withServerAt(table: RouteTable, number: number, server: RouteServer): RouteTable {
  const isElsewhere = ({ id, address }: RouteServer): boolean =>
    id === server.id && address !== server.address;
  const release = table.releases.find((candidate) => candidate.number === number);
  if (release?.servers.some(isElsewhere) !== true) return table;
  const servers = release.servers.map((known) => (isElsewhere(known) ? server : known));
  const releases = table.releases.map((each) => (each === release ? { ...release, servers } : each));
  return { ...table, releases };
}

/** The table with a release's servers after a decision about how many there are. */
export function withSize(table: RouteTable, record: ReleaseRecord, now: number): RouteTable {
  const { releases, ...rest } = withInstances(table, record);
  return {
    ...rest,
    releases: releases.map((release) =>
      release.number === record.number ? { ...release, sizedAt: now } : release,
    ),
  };
}

/** A release without instances, which the next visit wakes. */
export function withAsleep(table: RouteTable, number: number, now: number): RouteTable {
  return {
    ...table,
    releases: table.releases.map((release) =>
      release.number === number ? { ...release, asleep: true, servers: [], since: now } : release,
    ),
  };
}

/** A release that slept, with its instances. */
export function withAwake(table: RouteTable, record: ReleaseRecord, now: number): RouteTable {
  return {
    ...table,
    releases: table.releases.map((release) =>
      release.number === record.number
        ? { ...release, asleep: false, servers: serversOf(record), since: now }
        : release,
    ),
  };
}

/** The table with at most `max` previews: those that were not used for longest go, never the one of `kept`. */
export function withFewerPreviews(table: RouteTable, max: number, kept: string, now: number): RouteTable {
  const sinceOf = (number: number): number => {
    const release = table.releases.find((candidate) => candidate.number === number);
    // One that is awake is in use.
    return release?.asleep ? release.since : now + (release?.since ?? 0);
  };
  const others = Object.entries(table.tracks)
    .filter(([track]) => isPreview(track) && track !== kept)
    .sort(([, a], [, b]) => sinceOf(b) - sinceOf(a));
  return others.slice(max - 1).reduce((rest, [track]) => withoutTrack(rest, track, now), table);
}
