import { eValue, noEvidence, withAffected, type Affected, type Evidence } from "./evidence.js";
import { SLOW_LEVELS } from "./slow-limits.js";
import type { Kind } from "./windowed-evidence.js";

/**
 * What speaks against "no visitor fares worse with the canary" at each of several levels of the same thing, as in `Evidence`.
 * Its value is the mean over the levels: a mean of e-values is one, however they depend on each other. Plain JSON.
 */
export interface LeveledEvidence {
  readonly levels: readonly Evidence[];
}

/** For `WindowedEvidence`. */
interface LeveledKind extends Kind<LeveledEvidence> {
  readonly none: () => LeveledEvidence;
  /** `affected`: at each level, in the last `seconds`. `chance` as for `withAffected`. */
  readonly with: (
    before: LeveledEvidence,
    affected: readonly Affected[],
    look: { readonly chance: number; readonly seconds: number },
  ) => LeveledEvidence;
}

/**
 * A canary that fails everything should go at once, so a second is a block. Then a process that is away for several seconds, now
 * and then, counts each of them: 6 % of equal canaries failed where each process was away for 5 s every 1,000 s. Blocks of 3 s
 * brought that to 0.5 %, and a canary that fails everything was found after 22 s instead of 8.
 */
const ERROR_BLOCK_SECONDS = 1;
/**
 * Answers that are slow together have one cause, and it may last: a busy machine, a cache that was emptied. Where each side's
 * latency wandered by a fifth (one standard deviation) and kept its direction for about a minute, 2.5 % of equal canaries failed
 * with blocks of 5 s, 1.5 % with 10 s, 0.5 % with 15 s; a doubled p99 was found after 257, 287 and 325 s.
 */
const LATENCY_BLOCK_SECONDS = 10;

const NOBODY: Affected = { canary: 0, production: 0 };

/** Visitors who met an error, and those who met `MANY_ERRORS`: a canary that fails for some of them is seen there first. */
export const ERRORS = leveled(2, ERROR_BLOCK_SECONDS);
/** Visitors who met an answer slower than each of `SLOW_LEVELS`. */
export const LATENCY = leveled(SLOW_LEVELS.length, LATENCY_BLOCK_SECONDS);

function leveled(count: number, blockSeconds: number): LeveledKind {
  const none = (): LeveledEvidence => ({ levels: Array.from({ length: count }, noEvidence) });
  return {
    none,
    again: none,
    with: ({ levels }, affected, { chance, seconds }) => ({
      levels: levels.map((evidence, level) =>
        withAffected(evidence, affected[level] ?? NOBODY, chance, { seconds, blockSeconds }),
      ),
    }),
    valueOf: ({ levels }) => levels.reduce((sum, evidence) => sum + eValue(evidence) / levels.length, 0),
  };
}
