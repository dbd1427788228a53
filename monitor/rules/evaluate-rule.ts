import { z } from "zod";

/** A limit that a value must not cross. */
export interface Threshold {
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  /** How long it must be crossed to raise, and how long it must be well back to resolve. */
  readonly forSeconds: number;
  /** How far back the value must be for that. */
  readonly hysteresis: number;
}

/** A value at its time, ms since 1970. */
export interface Measured {
  readonly at: number;
  readonly value: number;
}

/** What is remembered from one value to the next; nothing while all is well. */
export const ruleStateSchema = z.object({
  isRaised: z.boolean(),
  /** Since some values that is about to change: for how long that was seen, and when last. */
  pending: z.object({ heldMs: z.number(), at: z.number() }).optional(),
});

export type RuleState = z.infer<typeof ruleStateSchema>;
export type Change = "raised" | "resolved" | undefined;

/** Between two values no more time is believed to have passed, whatever the clock says: what was not seen does not count. */
const LONGEST_STEP_MS = 2000;

/**
 * Takes one more value of a rule on a host. Only time in which the value was seen to be crossed counts, so that a clock which
 * jumps, or a monitor that was away, raises and resolves nothing.
 */
export function evaluateRule(
  state: RuleState | undefined,
  { at, value }: Measured,
  threshold: Threshold,
): { readonly state: RuleState | undefined; readonly change: Change } {
  const isRaised = state?.isRaised ?? false;
  const wantsChange = isRaised ? isWellBack(value, threshold) : isCrossed(value, threshold);
  if (!wantsChange) return { state: steady(isRaised), change: undefined };
  const heldMs = heldUntil(state?.pending, at);
  if (heldMs < threshold.forSeconds * 1000)
    return { state: { isRaised, pending: { heldMs, at } }, change: undefined };
  return { state: steady(!isRaised), change: isRaised ? "resolved" : "raised" };
}

function steady(isRaised: boolean): RuleState | undefined {
  return isRaised ? { isRaised } : undefined;
}

function heldUntil(pending: RuleState["pending"], at: number): number {
  if (pending === undefined) return 0;
  return pending.heldMs + Math.min(LONGEST_STEP_MS, Math.max(0, at - pending.at));
}

export function isCrossed(value: number, { above, below }: Threshold): boolean {
  return (above !== undefined && value > above) || (below !== undefined && value < below);
}

function isWellBack(value: number, { above, below, hysteresis }: Threshold): boolean {
  return above === undefined
    ? below !== undefined && value >= below + hysteresis
    : value <= above - hysteresis;
}
