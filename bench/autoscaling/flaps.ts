import { askedOf } from "./asked.js";
import type { Second } from "./simulated-day.js";

export interface Change {
  readonly second: number;
  readonly from: number;
  readonly to: number;
}

/** How long it can be known that what visitors ask for comes again. */
const MEMORY_SECONDS = 600;
const HOUR_SECONDS = 3600;

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
 * Those of them that could have been known: increases, and decreases before which visitors had asked, within ten minutes, for as
 * much as until the increase was decided. Nobody without foresight knows of a rise beyond that.
 */
export function flapsOf(
  day: readonly Pick<Second, "instances" | "demand" | "stolenShare">[],
  { cooldownSeconds, startSeconds }: { cooldownSeconds: number; startSeconds: number },
): Change[] {
  const changes = changesOf(day);
  const asked = askedOf(day);
  const peak = (from: number, to: number): number => Math.max(...asked.slice(Math.max(0, from), to));
  return takenBack(changes, cooldownSeconds).filter((change) => {
    if (change.to > change.from) return true;
    const next = changes[changes.indexOf(change) + 1] ?? change;
    const decidedAt = change.second - startSeconds;
    return peak(decidedAt, next.second - startSeconds) <= peak(decidedAt - MEMORY_SECONDS, decidedAt);
  });
}

/** Flapping is to be wrong again soon after: how many of them came within an hour, at most. */
export function mostWithinAnHour(flaps: readonly Change[]): number {
  const following = ({ second: first }: Change): Change[] =>
    flaps.filter(({ second }) => second >= first && second < first + HOUR_SECONDS);
  return Math.max(0, ...flaps.map((flap) => following(flap).length));
}
