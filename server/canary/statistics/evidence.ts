/** Visitors who met something bad since the last look: each only once, the first time. */
export interface Affected {
  readonly canary: number;
  readonly production: number;
}

/**
 * What speaks against "no visitor fares worse with the canary than they would have with production". Chance alone has divided
 * the visitors. So as long as that holds, whatever visitors do and whenever, each one who meets something bad is the canary's
 * with at most the probability with which visitors are sent there, independently of all others. That makes `eValue` an
 * e-process: it is at most 1 on average, and reaches x at any time with a probability of at most 1 / x. One may look after each
 * block and stop when one likes (A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid
 * inference", 2023; arXiv:2210.01948).
 *
 * Plain JSON. It carries its alternatives with it, so that one that was begun is ended with the same.
 */
export interface Evidence {
  readonly alternatives: readonly Alternative[];
}

/** One way to be worse: a visitor of the canary meets it so many times as often. */
export interface Alternative {
  readonly riskRatio: number;
  /** Natural logarithm. */
  readonly logE: number;
}

/** Several, so that a small rise and a large one are both seen early. */
const RISK_RATIOS = [1.5, 2, 4, 10, 50];
/**
 * The factor by which one look may raise the e-value. Chance divides visitors; it does not divide what a process does to all of
 * its visitors at once. A crash or a stall is one event, however many met it.
 */
const MOST_PER_LOOK = 3;
/** e to this is still a number. */
const LARGEST_LOG_E = 700;

export function noEvidence(): Evidence {
  return { alternatives: RISK_RATIOS.map((riskRatio) => ({ riskRatio, logE: 0 })) };
}

/** For `WindowedEvidence`. */
export const ERRORS = { valueOf: eValue, again: noEvidence };

/** `chance`: the probability (0 to 1) with which a visitor of the two was sent to the canary. At 0 and 1 nothing is compared. */
export function withAffected(
  { alternatives }: Evidence,
  { canary, production }: Affected,
  chance: number,
): Evidence {
  return {
    alternatives: alternatives.map(({ riskRatio, logE }) => {
      const ofBoth = chance * riskRatio + (1 - chance);
      const raise = canary * Math.log(riskRatio / ofBoth) - production * Math.log(ofBoth);
      return { riskRatio, logE: logE + (isDivided(chance) ? Math.min(Math.log(MOST_PER_LOOK), raise) : 0) };
    }),
  };
}

/** The mean over the alternatives: a mean of e-values is one. */
export function eValue({ alternatives }: Evidence): number {
  const largest = Math.max(...alternatives.map(({ logE }) => logE));
  const sum = alternatives.reduce((total, { logE }) => total + Math.exp(logE - largest), 0);
  return Math.exp(Math.min(LARGEST_LOG_E, largest + Math.log(sum / alternatives.length)));
}

function isDivided(chance: number): boolean {
  return chance > 0 && chance < 1;
}
