import type { Rival } from "./rival.js";

/** Another one begins each round, so that none has the best place. */
export function rotated<T extends Rival>(rivals: readonly T[], turn: number): T[] {
  const first = turn % rivals.length;
  return [...rivals.slice(first), ...rivals.slice(0, first)];
}
