/** What an app's production did within the last window. */
export interface Effort {
  readonly instances: number;
  /** CPU that all of them together got, percent of one processor: what was stolen is not in it. */
  readonly used: number;
  /** Answers to visitors. */
  readonly answers: number;
}

/** An increase, as it is judged. */
export interface Growth {
  /** Right before it; right before the first futile one in a row, once all of them together are judged not to have helped. */
  readonly before: Effort;
  /** Right before the first futile one in a row. */
  readonly beforeRow: Effort;
  /** ms since 1970; undefined until the first whole window after it shows what it has done. */
  readonly futileAt: number | undefined;
  /** Futile increases in a row; with this one, once it is judged. */
  readonly futileInRow: number;
}

/** No more instances, after an increase that did not help. */
export interface Hold {
  /** Right before that increase. */
  readonly before: Effort;
  /** When an increase is tried again, ms since 1970. */
  readonly retryAt: number;
  /** Whether that increase was such a try. It is taken back: otherwise each one would leave its instances. */
  readonly isTrial: boolean;
}

/** With fewer answers than this share of before, something else has changed too. */
const LEAST_ANSWERS = 0.7;

/**
 * So short that a wrong judgement costs an app a few minutes. The second pause, of four, leaves two cooldowns and more between the
 * end of a try, which lasts one, and the next: those do not look like flapping.
 */
const FIRST_PAUSE_COOLDOWNS = 2;
/** About an hour by default. A try lasts one cooldown: an app that no more instances help pays 3 % of the time for them. */
const MOST_PAUSE_COOLDOWNS = 32;

export function grownFrom(before: Effort, last: Growth | undefined): Growth {
  const futileInRow = last?.futileInRow ?? 0;
  const beforeRow = last === undefined || futileInRow === 0 ? before : last.beforeRow;
  return { before, beforeRow, futileAt: undefined, futileInRow };
}

/**
 * Judges an increase once, by the first whole window after it. Returns undefined when it helped, or when nobody can say: then
 * it is forgotten, and so are the futile ones before it.
 */
export function judged(growth: Growth, now: Effort, at: number): Growth | undefined {
  if (growth.futileAt !== undefined) return growth;
  const isComparable = now.answers >= LEAST_ANSWERS * growth.before.answers;
  if (!isComparable || !isFutile(growth.before, now)) return undefined;
  // All of them go only where the limit is so far off that a cost that rises by itself, as with a leak, does not reach it.
  const isDoubled = now.instances >= 2 * growth.beforeRow.instances;
  const before = isDoubled && isFutile(growth.beforeRow, now) ? growth.beforeRow : growth.before;
  return { ...growth, before, futileAt: at, futileInRow: growth.futileInRow + 1 };
}

export function holdOf(growth: Growth | undefined, cooldownMs: number): Hold | undefined {
  if (growth?.futileAt === undefined) return undefined;
  const { before, futileAt, futileInRow } = growth;
  const cooldowns = Math.min(MOST_PAUSE_COOLDOWNS, FIRST_PAUSE_COOLDOWNS * 2 ** (futileInRow - 1));
  return { before, retryAt: futileAt + cooldowns * cooldownMs, isTrial: futileInRow > 1 };
}

/**
 * Whether more instances only used more CPU. Where they help, an answer costs as much CPU as before; where they do not, each
 * instance takes as much as before, and an answer costs more by as much as there are more of them. Halfway between (by ratio)
 * is the limit. Never from so few answers that chance alone could look like it.
 */
export function isFutile(before: Effort, now: Effort): boolean {
  if (now.instances <= before.instances || before.used === 0) return false;
  const cost = now.used / now.answers / (before.used / before.answers);
  const limit = Math.sqrt(now.instances / before.instances);
  // Two standard deviations of the ratio of two counts (Poisson).
  const chance = 2 * Math.sqrt(1 / before.answers + 1 / now.answers);
  return chance < limit - 1 && cost >= limit;
}
