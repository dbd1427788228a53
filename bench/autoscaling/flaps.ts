import { sum } from "../statistics.js";
import type { Second } from "./simulated-day.js";

export interface Change {
  readonly second: number;
  readonly from: number;
  readonly to: number;
}

/** How long it can be known that what visitors ask for comes again. */
const MEMORY_SECONDS = 600;
const WINDOW_SECONDS = 15;

export function changesOf(day: readonly Pick<Second, "instances">[]): Change[] {
  return day.flatMap(({ instances }, second) => {
    const from = day[second - 1]?.instances ?? instances;
    return from === instances ? [] : [{ second, from, to: instances }];
  });
}

/**
 * Changes that the next one takes back too soon: a decrease that is followed by an increase within two cooldowns (the instance
 * should have stayed), or an increase followed by a decrease within one (it should not have come). What lasts longer follows
 * the load: one more for a burst that is over after some minutes is no flap.
 */
export function takenBack(changes: readonly Change[], cooldownSeconds: number): Change[] {
  return changes.filter((change, index) => {
    const next = changes[index + 1];
    if (next === undefined) return false;
    const isDecrease = change.to < change.from;
    if (isDecrease === next.to < next.from) return false;
    return next.second - change.second <= (isDecrease ? 2 : 1) * cooldownSeconds;
  });
}

/**
 * Those of them that could have been known: a decrease before which visitors had asked, within ten minutes, for as much as after
 * it. Nobody without foresight knows of a rise beyond that.
 */
export function flapsOf(
  day: readonly Pick<Second, "instances" | "demand" | "stolenShare">[],
  cooldownSeconds: number,
): Change[] {
  const changes = changesOf(day);
  const asked = day.map(({ demand, stolenShare }) => demand / (1 - stolenShare));
  const peak = (from: number, to: number): number => {
    const means = asked
      .slice(Math.max(0, from), to)
      .map((_, index) =>
        sum(asked.slice(Math.max(0, from) + index - WINDOW_SECONDS, Math.max(0, from) + index)),
      );
    return Math.max(0, ...means);
  };
  return takenBack(changes, cooldownSeconds).filter(({ second, from, to }) => {
    if (to > from) return true;
    const next = changes[changes.findIndex((change) => change.second === second) + 1]?.second ?? second;
    return peak(second, next) <= peak(second - MEMORY_SECONDS, second);
  });
}
