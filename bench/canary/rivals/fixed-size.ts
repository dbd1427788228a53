import { normalQuantile } from "../../../server/canary/statistics/interval.js";

const FALSE_ALARMS = 0.01;
const POWER = 0.9;

/** Of the visitors of each side, those who met what the test looks for. */
export interface Shares {
  readonly canary: number;
  readonly production: number;
}

/**
 * The canary's visitors in a one-sided test of two proportions that knows both and looks once (J. L. Fleiss, "Statistical
 * Methods for Rates and Proportions", chapter 4, for unequal sizes, without continuity correction). `part`: the canary's of
 * all visitors. Infinite when the canary's share is not the larger one.
 */
export function fixedSize({ canary, production }: Shares, part: number): number {
  if (canary <= production) return Infinity;
  const ratio = (1 - part) / part;
  const pooled = (canary + ratio * production) / (1 + ratio);
  const ofNull = Math.sqrt((1 + 1 / ratio) * pooled * (1 - pooled));
  const ofAlternative = Math.sqrt(canary * (1 - canary) + (production * (1 - production)) / ratio);
  const sum = normalQuantile(1 - FALSE_ALARMS) * ofNull + normalQuantile(POWER) * ofAlternative;
  return Math.ceil((sum / (canary - production)) ** 2);
}
