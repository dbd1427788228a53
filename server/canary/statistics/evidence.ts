/** Visitors who met something bad since the last look: each only once, the first time. */
export interface Affected {
  readonly canary: number;
  readonly production: number;
}

/**
 * What speaks against "no visitor fares worse with the canary than they would have with production". Chance alone has divided
 * the visitors. So as long as that holds, whatever visitors do and whenever, each one who meets something bad is the canary's
 * with at most the probability with which visitors are sent there, independently of all others. That makes `eValue` an
 * e-process: it is at most 1 on average, and reaches x at any time with a probability of at most 1 / x. One may look as often
 * and stop when one likes (A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid
 * inference", 2023; arXiv:2210.01948).
 *
 * Chance divides visitors; it does not divide what a process does to all of its visitors at once. A crash or a stall is one
 * event, however many met it. So all that is met in a block of a few seconds raises the value by `MOST_PER_BLOCK` at most.
 *
 * Plain JSON. It carries its alternatives with it, so that one that was begun is ended with the same.
 */
export interface Evidence {
  readonly alternatives: readonly Alternative[];
  /** How long the block that is open has lasted. */
  readonly openSeconds: number;
}

/** One way to be worse: a visitor of the canary meets it so many times as often. */
export interface Alternative {
  readonly riskRatio: number;
  /** Natural logarithm; of the blocks that are over, with their limit. */
  readonly logE: number;
  /** Of the block that is open, without it. */
  readonly openLogE: number;
}

/**
 * Several, so that a small rise and a large one are both seen early. Where most visitors meet some slow answer, few more can: a
 * canary that takes 1.5 times as long is 1.3 times as often over p90.
 */
const RISK_RATIOS = [1.25, 1.6, 2.5, 6, 20];
/**
 * With two processes that crash equally often, each crash is the canary's with a probability of one half, and one of
 * production's leaves next to nothing of the value. A factor of 2 is the largest that such a bet may pay. With 3, 4 % of equal
 * canaries failed where each process failed all requests of one second every 200 s; with 2, 0.25 %. The price is 8
 * blocks in a row to the verdict instead of 5.
 */
const MOST_PER_BLOCK = 2;
/** e to this is still a number. */
const LARGEST_LOG_E = 700;

export function noEvidence(): Evidence {
  return {
    alternatives: RISK_RATIOS.map((riskRatio) => ({ riskRatio, logE: 0, openLogE: 0 })),
    openSeconds: 0,
  };
}

/**
 * `chance`: the probability (0 to 1) with which a visitor of the two was sent to the canary. At 0 and 1 nothing is compared.
 * `seconds`: since the last look.
 */
export function withAffected(
  { alternatives, openSeconds }: Evidence,
  { canary, production }: Affected,
  chance: number,
  { seconds = 1, blockSeconds = 1 } = {},
): Evidence {
  // Known before what the look has seen.
  const isOver = openSeconds + seconds >= blockSeconds;
  return {
    openSeconds: isOver ? 0 : openSeconds + seconds,
    alternatives: alternatives.map(({ riskRatio, logE, openLogE }) => {
      const ofBoth = chance * riskRatio + (1 - chance);
      const raise = canary * Math.log(riskRatio / ofBoth) - production * Math.log(ofBoth);
      const open = openLogE + (isDivided(chance) ? raise : 0);
      return isOver
        ? { riskRatio, logE: logE + limited(open), openLogE: 0 }
        : { riskRatio, logE, openLogE: open };
    }),
  };
}

/** The mean over the alternatives: a mean of e-values is one. */
export function eValue({ alternatives }: Evidence): number {
  const values = alternatives.map(({ logE, openLogE }) => logE + limited(openLogE));
  const largest = Math.max(...values);
  const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Math.exp(Math.min(LARGEST_LOG_E, largest + Math.log(sum / values.length)));
}

/** What is below an e-value is one, too. */
function limited(blockLogE: number): number {
  return Math.min(Math.log(MOST_PER_BLOCK), blockLogE);
}

function isDivided(chance: number): boolean {
  return chance > 0 && chance < 1;
}
