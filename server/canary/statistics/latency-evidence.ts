import { eValue, noEvidence, withAffected, type Affected, type Evidence } from "./evidence.js";
import { SLOW_LEVELS } from "./slow-limits.js";

/**
 * What speaks against "no visitor waits longer with the canary, a tolerance aside": who met an answer slower than the limits of
 * each level is compared as in `Evidence`. Plain JSON.
 */
export interface LatencyEvidence {
  /** One for each of `SLOW_LEVELS`. */
  readonly levels: readonly Evidence[];
  /** What was seen since the last block ended. */
  readonly open: { readonly seconds: number; readonly affected: readonly Affected[] };
}

/**
 * Answers that are slow together have one cause, and it may last: a process that stands still, a busy machine. So the evidence
 * of so many seconds counts as that of one look.
 */
const BLOCK_SECONDS = 5;

const NOBODY: Affected = { canary: 0, production: 0 };

export function noLatencyEvidence(): LatencyEvidence {
  return {
    levels: SLOW_LEVELS.map(noEvidence),
    open: { seconds: 0, affected: SLOW_LEVELS.map(() => NOBODY) },
  };
}

/** For `WindowedEvidence`. */
export const LATENCY = { valueOf: latencyEValue, again: noLatencyEvidence };

/** `affected`: for each of `SLOW_LEVELS`, in the last `seconds`. `chance` as for `withAffected`. */
export function withSlow(
  { levels, open }: LatencyEvidence,
  affected: readonly Affected[],
  { chance, seconds }: { readonly chance: number; readonly seconds: number },
): LatencyEvidence {
  const block = {
    seconds: open.seconds + seconds,
    affected: open.affected.map((sofar, level) => sumOf(sofar, affected[level] ?? NOBODY)),
  };
  if (block.seconds < BLOCK_SECONDS) return { levels, open: block };
  return {
    levels: levels.map((evidence, level) => withAffected(evidence, block.affected[level] ?? NOBODY, chance)),
    open: noLatencyEvidence().open,
  };
}

/** The mean over the levels: a mean of e-values is one, however they depend on each other. */
export function latencyEValue({ levels }: LatencyEvidence): number {
  return levels.reduce((sum, evidence) => sum + eValue(evidence) / levels.length, 0);
}

function sumOf(a: Affected, b: Affected): Affected {
  return { canary: a.canary + b.canary, production: a.production + b.production };
}
