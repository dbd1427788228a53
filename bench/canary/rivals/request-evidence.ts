import type { Affected } from "../../../server/canary/statistics/evidence.js";

/** Requests of both sides in a look, and how many of them were bad. */
export interface Tallies {
  readonly bad: Affected;
  readonly all: Affected;
}

const ODDS_RATIOS = [1.5, 2, 4, 10, 50];
const PRIOR_REQUESTS = 50;
const LARGEST_LOG_E = 700;

/**
 * Evidence of which the unit is the request, as Sluice judged before it counted visitors: the test of R. J. Turner, A. Ly and P. D.
 * Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping", 2024 (arXiv:2106.02693).
 */
export interface RequestEvidence {
  /** Production's requests so far. */
  readonly bad: number;
  readonly all: number;
  readonly logE: readonly number[];
}

export function noRequestEvidence(expectedShare = 0.01): RequestEvidence {
  return { bad: expectedShare * PRIOR_REQUESTS, all: PRIOR_REQUESTS, logE: ODDS_RATIOS.map(() => 0) };
}

/** For `WindowedEvidence`. */
export const BY_REQUESTS = {
  valueOf: requestEValue,
  again: ({ bad, all }: RequestEvidence) => noRequestEvidence(bad / all),
};

/** `most`: the factor by which a look may raise the e-value. */
export function withTallies(evidence: RequestEvidence, { bad, all }: Tallies, most: number): RequestEvidence {
  const odds = evidence.bad / (evidence.all - evidence.bad);
  return {
    bad: evidence.bad + bad.production,
    all: evidence.all + all.production,
    logE: evidence.logE.map((logE, index) => {
      const canaryShare = shareOf(odds * (ODDS_RATIOS[index] ?? 1));
      return logE + Math.min(Math.log(most), increment({ bad, all }, canaryShare, shareOf(odds)));
    }),
  };
}

export function requestEValue({ logE }: RequestEvidence): number {
  return logE.reduce((sum, each) => sum + Math.exp(Math.min(LARGEST_LOG_E, each)), 0) / logE.length;
}

/** The likelihood with a share for each side, by that with one for both. */
function increment({ bad, all }: Tallies, canaryShare: number, productionShare: number): number {
  if (all.canary === 0 || all.production === 0) return 0;
  const same = (all.canary * canaryShare + all.production * productionShare) / (all.canary + all.production);
  const ofSide = (badOnes: number, ones: number, share: number): number =>
    badOnes * Math.log(share / same) + (ones - badOnes) * (Math.log1p(-share) - Math.log1p(-same));
  return (
    ofSide(bad.canary, all.canary, canaryShare) + ofSide(bad.production, all.production, productionShare)
  );
}

function shareOf(odds: number): number {
  return odds / (1 + odds);
}
