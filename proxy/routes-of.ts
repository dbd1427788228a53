import { releaseName } from "../core/names.js";
import {
  BASELINE,
  CANARY,
  canaryShare,
  PRODUCTION,
  type RoutedRelease,
  type RouteTable,
} from "../core/records/routes/route-table.js";
import {
  REDIRECT,
  type AppRoutes,
  type Guard,
  type HttpsOnly,
  type ReleaseRoutes,
  type Split,
} from "./proxy.js";

/** What its routes depend on besides an app's table. */
export interface RoutesContext {
  readonly domain: string;
  /** No canary gets visitors. */
  readonly isAlert: boolean;
  /** Its hosts that have a certificate → how long browsers are to ask for nothing else (seconds). */
  readonly covered: (host: string) => HttpsOnly | undefined;
  /** The app's own error page (HTML). */
  readonly errorPage: string | undefined;
}

/** An app's routes from its route table: each of its hosts leads to a track or to one release. Pure. */
export function routesOf(
  table: RouteTable,
  { domain, isAlert, covered, errorPage }: RoutesContext,
): AppRoutes {
  const { app } = table;
  const hosts = new Map<string, string>();
  const tracks = new Map<string, string>();
  const withoutWeb = new Set(table.releases.filter(isWithoutWeb).map(({ number }) => number));
  for (const release of table.releases) {
    if (isWithoutWeb(release)) continue;
    hosts.set(`${releaseName(release.number)}.${app}.${domain}`, releaseKey(app, release.number));
  }
  for (const [track, number] of Object.entries(table.tracks)) {
    if (withoutWeb.has(number)) continue;
    tracks.set(trackKey(app, track), releaseKey(app, number));
    hosts.set(track === PRODUCTION ? `${app}.${domain}` : `${track}.${app}.${domain}`, trackKey(app, track));
  }
  // An app without a live release has a host too: its visitors are asked to come back later.
  if (!withoutWeb.has(table.tracks[PRODUCTION] ?? 0))
    hosts.set(`${app}.${domain}`, trackKey(app, PRODUCTION));
  const all = new Map([...hosts, ...ownHosts(table, hosts, `${app}.${domain}`)]);
  return {
    hosts: all,
    https: table.https.mode === "redirect" ? httpsOnly(all.keys(), covered) : new Map(),
    guards: guardsOf(table, new Set(all.values())),
    errorPage,
    accessLog: table.accessLog,
    tracks,
    splits: splitsOf(table, isAlert),
    releases: new Map(table.releases.map((release) => [releaseKey(app, release.number), routeOf(release)])),
  };
}

/** Production is for everybody, unless the app names addresses. Whatever else has a host may be a preview's business alone. */
function guardsOf(table: RouteTable, targets: ReadonlySet<string>): Map<string, Guard> {
  const { app, access, limits, previewPassword } = table;
  const found = new Map<string, Guard>();
  for (const target of targets) {
    if (target.includes(REDIRECT)) continue;
    const isProduction = target === trackKey(app, PRODUCTION);
    const own = isProduction ? [] : access.previewAddresses;
    const guard = {
      password: isProduction ? undefined : previewPassword,
      addresses: own.length > 0 ? own : access.allowAddresses,
      limits,
    };
    if (isNeeded(guard)) found.set(target, guard);
  }
  return found;
}

function isNeeded({ password, addresses, limits }: Guard): boolean {
  return password !== undefined || addresses.length > 0 || Object.keys(limits).length > 0;
}

function httpsOnly(hosts: Iterable<string>, covered: RoutesContext["covered"]): Map<string, HttpsOnly> {
  const found = new Map<string, HttpsOnly>();
  for (const host of hosts) {
    const only = covered(host);
    if (only !== undefined) found.set(host, only);
  }
  return found;
}

/**
 * The app's own domains. What is below a wildcard is named as below the app's usual host: previews, the canary, releases. A
 * domain that is named by itself goes before that.
 */
function ownHosts(
  { app, domains }: RouteTable,
  usual: ReadonlyMap<string, string>,
  host: string,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, redirectTo } of domains)
    found.set(name, redirectTo === undefined ? trackKey(app, PRODUCTION) : redirectKey(app, redirectTo));
  for (const wildcard of [...found.keys()].filter((name) => name.startsWith("*.")))
    for (const [name, key] of usual) {
      const below = name.endsWith(`.${host}`)
        ? wildcard.replace("*", name.slice(0, -host.length - 1))
        : wildcard;
      if (!found.has(below)) found.set(below, key);
    }
  return found;
}

/** What a host leads to that sends its visitors on to another one. */
export function redirectKey(app: string, host: string): string {
  return `${app}/${REDIRECT}${host}`;
}

function splitsOf(table: RouteTable, isAlert: boolean): Map<string, Split> {
  const { app, tracks, canary, modeHeader } = table;
  const { [CANARY]: inTable, [BASELINE]: baseline } = tracks;
  const isVisited = !table.releases.some((release) => release.number === inTable && isWithoutWeb(release));
  const number = isVisited ? inTable : undefined;
  if (number === undefined && modeHeader === undefined) return new Map();
  const split = {
    canary: number === undefined ? undefined : releaseKey(app, number),
    share: canaryShare(table, isAlert),
    baseline: baseline === undefined ? undefined : releaseKey(app, baseline),
    header: number === undefined ? modeHeader : canary?.header,
    goal: canary?.goal,
    slow: canary?.slow,
  };
  return new Map([[trackKey(app, PRODUCTION), split]]);
}

function isWithoutWeb({ withoutWeb }: RoutedRelease): boolean {
  return withoutWeb === true;
}

export function releaseKey(app: string, number: number): string {
  return `${app}/${releaseName(number)}`;
}

export function trackKey(app: string, track: string): string {
  return `${app}/${track}`;
}

function routeOf(release: RoutedRelease): ReleaseRoutes {
  return {
    track: release.track,
    servers: new Map(release.servers.map(({ id, address }) => [serverName(id, address), address])),
    sticky: release.sticky,
    asleep: release.asleep,
  };
}

/** An instance that moves to another port becomes another server, since the old one is still there for a while. */
function serverName(id: string, address: string): string {
  return address.startsWith("unix@") ? id : `${id}:${address.slice(address.lastIndexOf(":") + 1)}`;
}
