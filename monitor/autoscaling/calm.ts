/** How long it must have been calm before an instance goes. */
export interface Calm {
  /** In cooldowns. */
  readonly cooldowns: number;
  /** When there was a decrease that has not been taken back. */
  readonly fewerSince: number | undefined;
}

export const CALM: Calm = { cooldowns: 1, fewerSince: undefined };

const MOST_COOLDOWNS = 8;
/** A decrease that lasted no longer than this came too early. */
const EARLY_COOLDOWNS = 2;

/** After a change of the number: twice as long after a decrease that came too early, a cooldown less after one that lasted. */
export function calmAfter(
  { cooldowns, fewerSince }: Calm,
  { from, to, at, cooldownMs }: { from: number; to: number; at: number; cooldownMs: number },
): Calm {
  if (to < from)
    return { cooldowns: fewerSince === undefined ? cooldowns : Math.max(1, cooldowns - 1), fewerSince: at };
  if (fewerSince === undefined) return { cooldowns, fewerSince };
  const isEarly = at - fewerSince <= EARLY_COOLDOWNS * cooldownMs;
  if (isEarly) return { cooldowns: Math.min(MOST_COOLDOWNS, 2 * cooldowns), fewerSince: undefined };
  return { cooldowns: Math.max(1, cooldowns - 1), fewerSince: undefined };
}
