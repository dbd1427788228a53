import { paths } from "../config/paths.js";
import { argument } from "./runtime.js";
import type { MapName, Maps } from "../config/state.js";

export type MapChange =
  | { readonly kind: "add" | "set"; readonly map: MapName; readonly key: string; readonly value: string }
  | { readonly kind: "delete"; readonly map: MapName; readonly key: string };

/** Every map comes after those that its entries refer to. */
const MAPS_IN_ORDER: readonly MapName[] = [
  "slots",
  "limits",
  "splits",
  "tracks",
  "visitors",
  "ownPages",
  "guards",
  "hosts",
  "https",
  "access",
];

/** Entries are added before others refer to them, and deleted after, so the maps are consistent at every moment. Pure. */
export function mapChanges(actual: Maps, wanted: Maps): MapChange[] {
  const changes = MAPS_IN_ORDER.map((map) => changesOf(map, actual[map], wanted[map]));
  const pointed = changes.flatMap((map) => map.filter(({ kind }) => kind !== "delete"));
  const deleted = changes.reverse().flatMap((map) => map.filter(({ kind }) => kind === "delete"));
  return [...pointed, ...deleted];
}

export function mapCommand(folder: string, change: MapChange): string {
  const path = argument(paths.map(folder, change.map));
  switch (change.kind) {
    case "add":
    case "set":
      return `${change.kind} map ${path} ${argument(change.key)} ${argument(change.value)}`;
    case "delete":
      return `del map ${path} ${argument(change.key)}`;
  }
}

function changesOf(
  map: MapName,
  actual: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): MapChange[] {
  const changed = [...wanted].flatMap(([key, value]): MapChange[] => {
    const before = actual.get(key);
    if (before === value) return [];
    return [{ kind: before === undefined ? "add" : "set", map, key, value }];
  });
  const gone = [...actual.keys()].filter((key) => !wanted.has(key));
  return [...changed, ...gone.map((key): MapChange => ({ kind: "delete", map, key }))];
}
