import type { Second } from "./simulated-day.js";

const WINDOW_SECONDS = 15;

/** What visitors asked for: the mean of the 15 s up to each second, percent of one processor, as if nothing had been stolen. */
export function askedOf(day: readonly Pick<Second, "demand" | "stolenShare">[]): number[] {
  let sum = 0;
  const asked = day.map(({ demand, stolenShare }) => demand / (1 - stolenShare));
  return asked.map((demand, second) => {
    sum += demand - (asked[second - WINDOW_SECONDS] ?? 0);
    return sum / Math.min(WINDOW_SECONDS, second + 1);
  });
}
