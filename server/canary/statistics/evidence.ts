/** How many of `all` requests were bad; 0 ≤ bad ≤ all. */
export interface Tally {
  readonly bad: number;
  readonly all: number;
}

/** What was seen between two looks. */
export interface Block {
  readonly canary: Tally;
  readonly production: Tally;
}

/**
 * What speaks against "the canary's share of bad requests is at most production's", as an e-process: whatever the shares
 * are, as long as that holds, `eValue` is at most 1 on average and reaches x at any time with a probability of at most 1 / x. So
 * one may look after each block and stop when one likes. It is the test of R. J. Turner, A. Ly and P. D. Grünwald,
 * "Generic E-variables for exact sequential k-sample tests that allow for optional stopping", 2024 (arXiv:2106.02693).
 *
 * Plain JSON. It carries its alternatives with it, so that one that was begun is ended with the same.
 */
export interface Evidence {
  /** All of production so far, and the first guess as if it had been seen before. */
  readonly production: Tally;
  readonly alternatives: readonly Alternative[];
}

/** One way to be worse: the odds of a bad request are so many times production's. */
export interface Alternative {
  readonly oddsRatio: number;
  /** Natural logarithm. */
  readonly logE: number;
}

/** Several, so that a small rise and a large one are both seen early. */
const ODDS_RATIOS = [1.5, 2, 4, 10, 50];
/** So many requests is the first guess of production's share worth. */
const PRIOR_REQUESTS = 50;
/** e to this is still a number. */
const LARGEST_LOG_E = 700;

/** `expectedShare`: the first guess of production's share of bad requests, between 0 and 1. A bad guess costs time only. */
export function noEvidence(expectedShare = 0.01): Evidence {
  return {
    production: { bad: expectedShare * PRIOR_REQUESTS, all: PRIOR_REQUESTS },
    alternatives: ODDS_RATIOS.map((oddsRatio) => ({ oddsRatio, logE: 0 })),
  };
}

/** For `WindowedEvidence`: what it has seen of production makes a better first guess than none. */
export const ERRORS = {
  valueOf: eValue,
  again: ({ production }: Evidence): Evidence => noEvidence(production.bad / production.all),
};

export function withBlock(evidence: Evidence, block: Block): Evidence {
  return withCappedBlock(evidence, block, Infinity);
}

/** `most`: the factor (1 or more) by which the block may raise the e-value. What is below an e-value is one, too. */
export function withCappedBlock(
  { production, alternatives }: Evidence,
  block: Block,
  most: number,
): Evidence {
  // What is compared may be chosen by what came before the block, never by the block itself.
  const odds = production.bad / (production.all - production.bad);
  return {
    production: {
      bad: production.bad + block.production.bad,
      all: production.all + block.production.all,
    },
    alternatives: alternatives.map(({ oddsRatio, logE }) => ({
      oddsRatio,
      logE: logE + Math.min(Math.log(most), logIncrement(block, shareOf(odds * oddsRatio), shareOf(odds))),
    })),
  };
}

/** The mean over the alternatives: a mean of e-values is one. */
export function eValue({ alternatives }: Evidence): number {
  const largest = Math.max(...alternatives.map(({ logE }) => logE));
  const sum = alternatives.reduce((total, { logE }) => total + Math.exp(logE - largest), 0);
  return Math.exp(Math.min(LARGEST_LOG_E, largest + Math.log(sum / alternatives.length)));
}

/**
 * The likelihood of the block with a share for each side, against that with one share for both, their mean by requests. On
 * average at most 1 for equal shares, whatever they are (theorem 1 of the paper), and less for a better canary: the
 * canary's factor rises with its true share, production's falls.
 */
function logIncrement({ canary, production }: Block, canaryShare: number, productionShare: number): number {
  // Then the mean is the share of the side that has any, and the likelihoods are the same.
  if (canary.all === 0 || production.all === 0) return 0;
  const sameShare =
    (canary.all * canaryShare + production.all * productionShare) / (canary.all + production.all);
  return logRatio(canary, canaryShare, sameShare) + logRatio(production, productionShare, sameShare);
}

function logRatio({ bad, all }: Tally, share: number, sameShare: number): number {
  return bad * Math.log(share / sameShare) + (all - bad) * (Math.log1p(-share) - Math.log1p(-sameShare));
}

function shareOf(odds: number): number {
  return odds / (1 + odds);
}
