import { people } from "./traffic/crowd.js";
import { DOUBLED_P99_SIGMA, GOOD, type Release } from "./traffic/release.js";
import type { Traffic } from "./traffic/record.js";

/** A canary that is worse than production, among ordinary visitors. */
export interface Defect extends Traffic {
  readonly name: string;
  readonly canary: Release;
}

const RATE = 30;

export function defects(share: number): readonly Defect[] {
  return RELEASES.map(([name, changes]) => ({
    name,
    share,
    crowds: [people(RATE)],
    canary: { ...GOOD, ...changes },
  }));
}

const RELEASES: readonly (readonly [name: string, changes: Partial<Release>])[] = [
  ["fails everything", { errorShare: 1 }],
  ["fails 5 % of all requests", { errorShare: 0.05 }],
  ["fails 2 % of all requests", { errorShare: 0.02 }],
  ["fails every request of one page in a hundred", { failingPages: 0.01 }],
  ["fails for 3 % of the visitors", { failingVisitors: 0.03 }],
  ["fails after a visitor's fifth request", { failsAfter: 5 }],
  ["one page in twenty is five times as slow", { slowPages: 0.05 }],
  ["everything takes 1.5 times as long", { slowness: 1.5 }],
  ["everything takes 3 times as long", { slowness: 3 }],
  ["p99 is doubled", { sigma: DOUBLED_P99_SIGMA }],
];
