import { differenceInterval } from "../../server/canary/statistics/interval.js";
import type { Recording } from "./traffic/recording.js";

const PRODUCTION = 0.1;
/** Of the canary's share of visitors who reach the goal, minus production's. */
export const DIFFERENCES = [0, 0.02] as const;

/**
 * Whether the interval that an A/B test shows (95 %) holds the true difference. Each person reaches the goal, or does not, with
 * every cookie they have.
 */
export function holds({ visitors, isCanary, person }: Recording, difference: number): boolean {
  const canary = { successes: 0, trials: 0 };
  const production = { successes: 0, trials: 0 };
  for (let visitor = 0; visitor < visitors; visitor++) {
    const ofCanary = isCanary[visitor] === 1;
    const side = ofCanary ? canary : production;
    side.trials++;
    // The smallest are those for whom a release may fail.
    const reaches = 1 - (person[visitor] ?? 0) < PRODUCTION + (ofCanary ? difference : 0);
    side.successes += reaches ? 1 : 0;
  }
  const { low, high } = differenceInterval(canary, production);
  return low <= difference && difference <= high;
}
