import { releaseName } from "../core/names.js";
import { PRODUCTION, type RoutedRelease, type RouteTable } from "../core/records/route-table.js";
import type { AppRoutes, ReleaseRoutes } from "./proxy.js";

/** What a route table wants of a proxy: hosts of section 6 of the design, each to a track or to one release. */
export function routesOf(table: RouteTable, domain: string): AppRoutes {
  const { app } = table;
  const hosts = new Map<string, string>();
  const tracks = new Map<string, string>();
  for (const release of table.releases) {
    hosts.set(`${releaseName(release.number)}.${app}.${domain}`, releaseKey(app, release.number));
  }
  for (const [track, number] of Object.entries(table.tracks)) {
    tracks.set(trackKey(app, track), releaseKey(app, number));
    hosts.set(track === PRODUCTION ? `${app}.${domain}` : `${track}.${app}.${domain}`, trackKey(app, track));
  }
  // An app without a live release is known all the same: its visitors are asked to come back.
  hosts.set(`${app}.${domain}`, trackKey(app, PRODUCTION));
  return {
    hosts,
    tracks,
    releases: new Map(table.releases.map((release) => [releaseKey(app, release.number), routeOf(release)])),
  };
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
  };
}

/** An instance that moves to another port is another server: the name must be free before the old one is gone. */
function serverName(id: string, address: string): string {
  return address.startsWith("unix@") ? id : `${id}:${address.slice(address.lastIndexOf(":") + 1)}`;
}
