import { FALLBACK_HOST, MAPS, NO_MAPS, type MapName, type Maps, type Routing } from "./state.js";

/** The maps' entries of some apps, and the fallback, as HAProxy has them. Pure. */
export function mapsOf(
  { apps, fallback }: Routing,
  some: Iterable<string>,
): Record<MapName, Map<string, string>> {
  const maps = emptyMaps();
  for (const app of some) {
    const own = apps.get(app) ?? NO_MAPS;
    for (const map of MAPS) for (const [key, value] of own[map]) maps[map].set(key, value);
  }
  if (fallback !== undefined) maps.hosts.set(FALLBACK_HOST, fallback);
  return maps;
}

/** The inverse: HAProxy's maps, split by app. Pure. */
export function routingOf(maps: Maps): Routing {
  const apps = new Map<string, Record<MapName, Map<string, string>>>();
  for (const map of MAPS) {
    for (const [key, value] of maps[map]) {
      if (key === FALLBACK_HOST) continue;
      const app = appOf(map === "hosts" || map === "https" ? value : key);
      const own = apps.get(app) ?? emptyMaps();
      apps.set(app, own);
      own[map].set(key, value);
    }
  }
  return { apps, fallback: maps.hosts.get(FALLBACK_HOST) };
}

/** `APP/TRACK` or `APP/vN` → `APP` */
export function appOf(target: string): string {
  return target.slice(0, target.indexOf("/"));
}

function emptyMaps(): Record<MapName, Map<string, string>> {
  return {
    ...{ hosts: new Map(), visitors: new Map(), tracks: new Map(), splits: new Map() },
    ...{ slots: new Map(), limits: new Map(), https: new Map() },
    ...{ guards: new Map(), ownPages: new Map(), access: new Map() },
  };
}
