/** What an app's production did within the last window. */
export interface Effort {
  readonly instances: number;
  /** CPU of all of them together, percent of one processor. */
  readonly load: number;
  /** Answers to visitors. */
  readonly answers: number;
}

/** An increase, as it is judged. */
export interface Growth {
  /** Right before it. */
  readonly before: Effort;
  /** What the first whole window after it has shown; undefined until then. */
  readonly isFutile: boolean | undefined;
}

/** With fewer answers than this share of before, something else has changed too. */
const LEAST_ANSWERS = 0.7;

/**
 * Judges an increase once, by the first whole window after it. Returns undefined when it helped, or when nobody can say: then
 * it is forgotten.
 */
export function judged(growth: Growth, now: Effort): Growth | undefined {
  if (growth.isFutile !== undefined) return growth;
  const isComparable = now.answers >= LEAST_ANSWERS * growth.before.answers;
  return isComparable && isFutile(growth.before, now) ? { ...growth, isFutile: true } : undefined;
}

/**
 * Whether more instances only used more CPU. Where they help, an answer costs as much CPU as before; where they do not, each
 * instance takes as much as before, and an answer costs more by as much as there are more of them. Halfway between (by ratio)
 * is the limit. Never from so few answers that chance alone could look like it.
 */
export function isFutile(before: Effort, now: Effort): boolean {
  if (now.instances <= before.instances || before.load === 0) return false;
  const cost = now.load / now.answers / (before.load / before.answers);
  const limit = Math.sqrt(now.instances / before.instances);
  // Two standard deviations of the ratio of two counts (Poisson).
  const chance = 2 * Math.sqrt(1 / before.answers + 1 / now.answers);
  return chance < limit - 1 && cost >= limit;
}
