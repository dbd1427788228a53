import { eValue, noEvidence, withAffected, type Affected, type Evidence } from "./evidence.js";
import { SLOW_LEVELS } from "./slow-limits.js";

/**
 * What speaks against "no visitor waits longer with the canary, a tolerance aside": who met an answer slower than the limits of
 * each level is compared as in `Evidence`. Plain JSON.
 */
export interface LatencyEvidence {
  /** One for each of `SLOW_LEVELS`. */
  readonly levels: readonly Evidence[];
}

/**
 * Answers that are slow together have one cause, and it may last: a busy machine, a cache that was emptied. Where each side's
 * latency wandered by a fifth (one standard deviation) and kept its direction for about a minute, 2.5 % of equal canaries failed
 * with blocks of 5 s, 1.5 % with 10 s, 0.5 % with 15 s; a doubled p99 was found after 257, 287 and 325 s.
 */
const LATENCY_BLOCK_SECONDS = 10;

const NOBODY: Affected = { canary: 0, production: 0 };

export function noLatencyEvidence(): LatencyEvidence {
  return { levels: SLOW_LEVELS.map(noEvidence) };
}

/** For `WindowedEvidence`. */
export const LATENCY = { valueOf: latencyEValue, again: noLatencyEvidence };

/** `affected`: for each of `SLOW_LEVELS`, in the last `seconds`. `chance` as for `withAffected`. */
export function withSlow(
  { levels }: LatencyEvidence,
  affected: readonly Affected[],
  { chance, seconds }: { readonly chance: number; readonly seconds: number },
): LatencyEvidence {
  const block = { seconds, blockSeconds: LATENCY_BLOCK_SECONDS };
  return {
    levels: levels.map((evidence, level) => withAffected(evidence, affected[level] ?? NOBODY, chance, block)),
  };
}

/** The mean over the levels: a mean of e-values is one, however they depend on each other. */
export function latencyEValue({ levels }: LatencyEvidence): number {
  return levels.reduce((sum, evidence) => sum + eValue(evidence) / levels.length, 0);
}
