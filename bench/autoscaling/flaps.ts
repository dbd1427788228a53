import type { Second } from "./simulated-day.js";

export interface Change {
  readonly second: number;
  readonly from: number;
  readonly to: number;
}

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
export function flapsOf(changes: readonly Change[], cooldownSeconds: number): Change[] {
  return changes.filter((change, index) => {
    const next = changes[index + 1];
    if (next === undefined) return false;
    const isDecrease = change.to < change.from;
    if (isDecrease === next.to < next.from) return false;
    return next.second - change.second <= (isDecrease ? 2 : 1) * cooldownSeconds;
  });
}
