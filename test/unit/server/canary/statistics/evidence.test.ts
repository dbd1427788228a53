import { expect } from "chai";
import fc from "fast-check";
import statistics from "jstat";
import {
  eValue,
  noEvidence,
  withBlock,
  withCappedBlock,
  type Block,
  type Evidence,
} from "../../../../../server/canary/statistics/evidence.js";

const { binomial } = statistics.jStat;

describe("evidence that a canary is worse", () => {
  const tally = fc.nat(150).chain((all) => fc.nat(all).map((bad) => ({ bad, all })));
  const earlierBlocks = fc.array(fc.record({ canary: tally, production: tally }), { maxLength: 4 });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  it("does not grow on average while the canary is no worse, whatever came before", () => {
    fc.assert(
      fc.property(
        earlierBlocks,
        fc.tuple(share, share).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
        fc.nat(7),
        fc.nat(7),
        (blocks, [canary, production], ofCanary, ofProduction) => {
          const before = blocks.reduce(withBlock, noEvidence());
          for (const canaryShare of [canary, production]) {
            const after = meanEValue(before, [canaryShare, production], [ofCanary, ofProduction]);
            expect(after).to.be.at.most(eValue(before) * (1 + 1e-9));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("does not grow on average at the shares of everyday either", () => {
    const before = withBlock(noEvidence(), blockOf(1, 300, 4, 700));
    for (const production of [0.0001, 0.001, 0.005, 0.01, 0.05, 0.2, 0.5, 0.9, 0.999])
      for (const canary of [production, production / 2, production / 10, 0])
        for (const [ofCanary, ofProduction] of [
          [1, 1],
          [2, 20],
          [20, 2],
          [12, 28],
        ] as const)
          expect(meanEValue(before, [canary, production], [ofCanary, ofProduction])).to.be.at.most(
            eValue(before) * (1 + 1e-9),
          );
  });

  it("reaches x at any look with a probability of at most 1 / x", () => {
    for (const production of [0.02, 0.1, 0.5, 0.9])
      for (const x of [1.5, 2, 4, 8]) {
        const ever = reaches(noEvidence(production), x, [production, production], 4);
        expect(ever).to.be.at.most(1 / x + 1e-9);
      }
  });

  it("keeps its value on average where the two hypotheses are nearest, so that no strength is given away", () => {
    for (const production of [0.001, 0.1, 0.5])
      for (const oddsRatio of [1.5, 4, 50]) {
        const before = { ...noEvidence(production), alternatives: [{ oddsRatio, logE: 0 }] };
        const odds = (oddsRatio * production) / (1 - production);
        const between = (6 * (odds / (1 + odds)) + 14 * production) / 20;
        expect(meanEValue(before, [between, between], [6, 14])).to.be.closeTo(1, 1e-9);
      }
  });

  it("grows when the canary is worse, a little or a lot", () => {
    const rise = (canaryBad: number, blocks: number): number =>
      eValue(repeated(noEvidence(), blockOf(canaryBad, 300, 7, 700), blocks));
    expect(rise(3, 20)).to.be.below(1);
    expect(rise(6, 8)).to.be.above(100);
    expect(rise(30, 2)).to.be.above(100);
    expect(rise(150, 1)).to.be.above(100);
  });

  it("is raised by a block no more than it may be; less is the same", () => {
    const before = withBlock(noEvidence(), blockOf(3, 30, 1, 70));
    const capped = (canaryBad: number): number =>
      eValue(withCappedBlock(before, blockOf(canaryBad, 30, 1, 70), 3)) / eValue(before);
    expect(capped(30)).to.be.closeTo(3, 1e-9);
    expect(capped(0)).to.equal(eValue(withBlock(before, blockOf(0, 30, 1, 70))) / eValue(before));
  });

  it("keeps its value when a side had no requests, and learns production's share all the same", () => {
    const before = withBlock(noEvidence(), blockOf(3, 30, 1, 70));
    expect(eValue(withBlock(before, blockOf(5, 20, 0, 0)))).to.equal(eValue(before));
    const informed = withBlock(before, blockOf(0, 0, 30, 100));
    expect(eValue(informed)).to.equal(eValue(before));
    expect(eValue(withBlock(before, blockOf(0, 0, 0, 0)))).to.equal(eValue(before));
    const next = blockOf(4, 30, 9, 70);
    expect(eValue(withBlock(informed, next))).not.to.equal(eValue(withBlock(before, next)));
  });

  it("goes on the same after it was saved", () => {
    const before = withBlock(noEvidence(), blockOf(3, 30, 1, 70));
    // Redis keeps text.
    const saved = JSON.parse(JSON.stringify(before)) as Evidence;
    expect(withBlock(saved, blockOf(2, 30, 0, 70))).to.deep.equal(withBlock(before, blockOf(2, 30, 0, 70)));
  });

  it("stays a number, however much there is", () => {
    const against = repeated(noEvidence(), blockOf(1e6, 1e6, 0, 1e6), 50);
    const before = repeated(noEvidence(), blockOf(0, 1e6, 1e6, 1e6), 50);
    for (const evidence of [against, before]) {
      expect(eValue(evidence)).to.satisfy(Number.isFinite);
      expect(JSON.parse(JSON.stringify(evidence))).to.deep.equal(evidence);
    }
    expect(eValue(against)).to.be.above(1e100);
    expect(eValue(before)).to.be.below(1e-6);
  });
});

/** Over all outcomes of a block of this size; exactly. */
function meanEValue(
  before: Evidence,
  shares: readonly [canary: number, production: number],
  sizes: readonly [canary: number, production: number],
): number {
  return outcomes(shares, sizes).reduce(
    (mean, { block, probability }) => mean + probability * eValue(withBlock(before, block)),
    0,
  );
}

/** The probability that e is ever x or more in so many blocks of two requests a side; exactly. */
function reaches(
  evidence: Evidence,
  x: number,
  shares: readonly [canary: number, production: number],
  blocks: number,
): number {
  if (eValue(evidence) >= x) return 1;
  if (blocks === 0) return 0;
  return outcomes(shares, [2, 2]).reduce(
    (total, { block, probability }) =>
      total + probability * reaches(withBlock(evidence, block), x, shares, blocks - 1),
    0,
  );
}

function outcomes(
  [canaryShare, productionShare]: readonly [canary: number, production: number],
  [ofCanary, ofProduction]: readonly [canary: number, production: number],
): { block: Block; probability: number }[] {
  const upTo = (size: number): number[] => Array.from({ length: size + 1 }, (_, bad) => bad);
  return upTo(ofCanary).flatMap((canary) =>
    upTo(ofProduction).map((production) => ({
      block: blockOf(canary, ofCanary, production, ofProduction),
      probability:
        binomial.pdf(canary, ofCanary, canaryShare) * binomial.pdf(production, ofProduction, productionShare),
    })),
  );
}

function blockOf(canaryBad: number, ofCanary: number, productionBad: number, ofProduction: number): Block {
  return {
    canary: { bad: canaryBad, all: ofCanary },
    production: { bad: productionBad, all: ofProduction },
  };
}

function repeated(evidence: Evidence, block: Block, times: number): Evidence {
  return Array<Block>(times).fill(block).reduce(withBlock, evidence);
}
