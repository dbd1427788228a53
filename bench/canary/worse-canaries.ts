import { setImmediate } from "node:timers/promises";
import { quantile, sum } from "../statistics.js";
import type { Defect } from "./defects.js";
import { RIVALS } from "./equal-canaries.js";
import { sluice } from "./judges/sluice.js";
import { VisitorCounter, type Look } from "./judges/visitor-counter.js";
import { fixedSize } from "./rivals/fixed-size.js";
import type { SeededRandom } from "./traffic/chance.js";
import { record } from "./traffic/record.js";
import { Recorder, SECONDS, type Recording } from "./traffic/recording.js";

/** What it takes to find canaries that are worse. */
export interface WorseCanaries {
  readonly canaries: number;
  readonly found: Needed;
  /** Of the canary. */
  readonly visitors: { readonly median: number; readonly most: number };
  /** Of the canary, for a test that knows what to look for. */
  readonly fixedSize: number;
  readonly rivals: ReadonlyMap<string, Needed>;
}

/** Infinite: not in the time of the simulation. */
export interface Needed {
  /** Share that was found at all, 0 to 1. */
  readonly share: number;
  /** Seconds. */
  readonly median: number;
  /** 90 % are found within so many seconds. */
  readonly most: number;
}

const FIGURES = ["withErrors", "withManyErrors", "overP90", "overP99"] as const;
/** Limits of slow answers are known by then. */
const COUNTED_FROM = 100;

export async function judgeWorse(
  defect: Defect,
  canaries: number,
  random: SeededRandom,
): Promise<WorseCanaries> {
  const recorder = new Recorder();
  const seconds: number[] = [];
  const visitors: number[] = [];
  const ofRivals = RIVALS.map(() => [] as number[]);
  const shares: Shares[] = [];
  for (let canary = 0; canary < canaries; canary++) {
    const recording = record(defect, recorder, random);
    const found = sluice(recording);
    seconds.push(found === undefined ? Infinity : found.second + 1);
    visitors.push(found?.visitors ?? Infinity);
    for (const [index, { judge, part }] of RIVALS.entries())
      if (canary < part * canaries) ofRivals[index]?.push(judge(recording) + 1);
    if (canary < MOST_COUNTED) shares.push(sharesOf(recording));
    await setImmediate();
  }
  return {
    canaries,
    found: neededOf(seconds),
    visitors: { median: quantile(visitors, 0.5), most: quantile(visitors, 0.9) },
    fixedSize: Math.min(
      ...FIGURES.map((_, index) =>
        fixedSize(
          { canary: meanOf(shares, "canary", index), production: meanOf(shares, "production", index) },
          defect.share,
        ),
      ),
    ),
    rivals: new Map(RIVALS.map(({ name }, index) => [name, neededOf(ofRivals[index] ?? [])])),
  };
}

/** For each of `FIGURES` the share of a side's visitors who met it. */
interface Shares {
  readonly canary: readonly number[];
  readonly production: readonly number[];
}

const MOST_COUNTED = 20;

function sharesOf(recording: Recording): Shares {
  const counter = new VisitorCounter(recording);
  const looks = Array.from({ length: SECONDS }, (_, second) => counter.look(second)).slice(COUNTED_FROM);
  const shareOf = (figure: (typeof FIGURES)[number], side: "canary" | "production"): number => {
    const count = (of: (look: Look) => number): number => sum(looks.map(of));
    return (
      count((look) => look[figure][side]) /
      Math.max(
        1,
        count((look) => look.visitors[side]),
      )
    );
  };
  return {
    canary: FIGURES.map((figure) => Math.min(1, shareOf(figure, "canary"))),
    production: FIGURES.map((figure) => Math.min(1, shareOf(figure, "production"))),
  };
}

function meanOf(shares: readonly Shares[], side: "canary" | "production", index: number): number {
  return sum(shares.map((each) => each[side][index] ?? 0)) / shares.length;
}

function neededOf(seconds: readonly number[]): Needed {
  return {
    share: seconds.filter(Number.isFinite).length / seconds.length,
    median: quantile(seconds, 0.5),
    most: quantile(seconds, 0.9),
  };
}
