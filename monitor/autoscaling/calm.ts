/** How long it must have been calm before instances go. */
export interface Calm {
  /** In cooldowns, `LEAST_COOLDOWNS` to `MOST_COOLDOWNS`. */
  readonly cooldowns: number;
  /** When there was a decrease, if that was the last change; ms since 1970. */
  readonly fewerSince: number | undefined;
  /** When a decrease came too early last, or that was forgiven; ms since 1970. */
  readonly earlyAt: number;
}

/** Six minutes by default: over as long as that, Kubernetes' autoscaler also looks back (five minutes) before it removes any. */
const LEAST_COOLDOWNS = 3;
export const MOST_COOLDOWNS = 12;

export const CALM: Calm = { cooldowns: LEAST_COOLDOWNS, fewerSince: undefined, earlyAt: 0 };

/** A decrease that lasted no longer than this came too early. */
const EARLY_COOLDOWNS = 2;
/**
 * After so long without one the time is halved: some four hours by default, so that a load which rises and falls all day long is
 * remembered from one rise to the next.
 */
const FORGIVEN_COOLDOWNS = 128;

/** After a change of the number: twice as long after a decrease that came too early. */
export function calmAfter(
  calm: Calm,
  { from, to, at, cooldownMs }: { from: number; to: number; at: number; cooldownMs: number },
): Calm {
  const { cooldowns, fewerSince, earlyAt } = calm;
  const isEarly = to > from && fewerSince !== undefined && at - fewerSince <= EARLY_COOLDOWNS * cooldownMs;
  const next = { fewerSince: to < from ? at : undefined };
  if (isEarly) return { ...next, cooldowns: Math.min(MOST_COOLDOWNS, 2 * cooldowns), earlyAt: at };
  const isForgiven = at - earlyAt > FORGIVEN_COOLDOWNS * cooldownMs;
  if (isForgiven) return { ...next, cooldowns: Math.max(LEAST_COOLDOWNS, cooldowns / 2), earlyAt: at };
  return { ...next, cooldowns, earlyAt };
}
