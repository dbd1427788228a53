import { FALLBACK_HOST, type MapName, type Routing } from "../state.js";

/** The contents of a map's file. */
export function mapText({ apps, fallback }: Routing, map: MapName): string {
  const bareHost = map === "hosts" && fallback !== undefined ? `${FALLBACK_HOST} ${fallback}\n` : "";
  return bareHost + [...apps.values()].map((maps) => linesOf(maps[map])).join("");
}

/** An app's lines, by its map: made once, since a map never changes. */
const lines = new WeakMap<ReadonlyMap<string, string>, string>();

function linesOf(entries: ReadonlyMap<string, string>): string {
  const known = lines.get(entries);
  if (known !== undefined) return known;
  const text = [...entries].map(([key, value]) => `${key} ${value}\n`).join("");
  lines.set(entries, text);
  return text;
}
