import { expect } from "chai";
import fc from "fast-check";
import statistics from "jstat";
import {
  eValue,
  noEvidence,
  withAffected,
  type Affected,
  type Evidence,
} from "../../../../../server/canary/statistics/evidence.js";

const { binomial } = statistics.jStat;

/** A look that nobody but chance has divided. */
interface Look {
  readonly affected: Affected;
  readonly chance: number;
  readonly seconds: number;
}

describe("evidence that a canary is worse", () => {
  const chance = fc.double({ min: 0, max: 1, noNaN: true });
  const affected = fc.record({ canary: fc.nat(20), production: fc.nat(20) });
  const history = fc.array(fc.record({ affected, chance, seconds: fc.nat(4) }), { maxLength: 8 });

  it("does not grow on average while each affected visitor is the canary's by chance at most, whatever came before", () => {
    fc.assert(
      fc.property(history, chance, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), (...drawn) => {
        const [looks, sentToCanary, part, visitors] = drawn;
        const before = after(looks);
        for (const probability of [sentToCanary, sentToCanary * part])
          expect(meanEValue(before, { visitors, probability, chance: sentToCanary })).to.be.at.most(
            eValue(before) * (1 + 1e-9),
          );
      }),
      { numRuns: 500 },
    );
  });

  it("keeps its value on average where chance alone decides, so that no strength is given away", () => {
    for (const chance of [0.01, 0.3, 0.9]) {
      const [first] = noEvidence().alternatives;
      const before = { ...noEvidence(), alternatives: first === undefined ? [] : [first] };
      expect(meanEValue(before, { visitors: 1, probability: chance, chance })).to.be.closeTo(1, 1e-9);
    }
  });

  it("reaches x at any look with a probability of at most 1 / x", () => {
    for (const chance of [0.05, 0.3, 0.5, 0.9])
      for (const x of [1.5, 2, 4, 8]) expect(everReaches(noEvidence(), x, chance, 7)).to.be.at.most(1 / x);
  });

  it("grows when the canary's visitors are affected more often than chance sends them there", () => {
    const rise = (canary: number, production: number, seconds: number): number =>
      eValue(repeated({ affected: { canary, production }, chance: 0.3, seconds: 1 }, seconds));
    expect(rise(3, 7, 100)).to.be.below(1);
    expect(rise(5, 5, 60)).to.be.above(100);
    expect(rise(1, 0, 30)).to.be.above(100);
    expect(rise(30, 0, 24)).to.be.above(100);
  });

  it("grows twofold at most by one event, however many visitors it met: it takes seven blocks to get to 100", () => {
    const crash = (seconds: number): number =>
      eValue(repeated({ affected: { canary: 1000, production: 0 }, chance: 0.3, seconds: 1 }, seconds));
    for (const seconds of [1, 2, 6]) expect(crash(seconds)).to.be.closeTo(2 ** seconds, 1e-9);
    expect(crash(7)).to.be.above(100);
    fc.assert(
      fc.property(history, affected, chance, (looks, next, sentToCanary) => {
        const before = after(looks);
        const ofBlock = withAffected(before, next, sentToCanary, { seconds: 1, blockSeconds: 1 });
        const closed = {
          ...before,
          alternatives: before.alternatives.map((each) => ({ ...each, openLogE: 0 })),
        };
        expect(eValue(ofBlock)).to.be.at.most(2 * eValue(closed) * (1 + 1e-9));
      }),
    );
  });

  it("is not decided by one visitor, however small the canary's share", () => {
    for (const chance of [0.3, 0.01, 1e-6])
      expect(eValue(withAffected(noEvidence(), { canary: 1, production: 0 }, chance))).to.be.at.most(
        2 + 1e-9,
      );
  });

  it("counts what one look of the block has seen against what another has", () => {
    const block = { blockSeconds: 3 };
    const both = withAffected(noEvidence(), { canary: 3, production: 7 }, 0.3, block);
    const first = withAffected(noEvidence(), { canary: 3, production: 0 }, 0.3, block);
    const second = withAffected(first, { canary: 0, production: 7 }, 0.3, block);
    expect(eValue(second)).to.be.closeTo(eValue(both), 1e-9);
  });

  it("judges visitors with the chance that sent them, though another one holds when the block ends", () => {
    const block = { blockSeconds: 3 };
    const before = withAffected(noEvidence(), { canary: 1, production: 1 }, 0.05, block);
    const unaffected = withAffected(before, { canary: 0, production: 0 }, 0.5, block);
    expect(eValue(unaffected)).to.be.closeTo(eValue(before), 1e-9);
  });

  it("compares nothing where chance divides nobody", () => {
    const before = after([{ affected: { canary: 3, production: 1 }, chance: 0.3, seconds: 1 }]);
    for (const chance of [0, 1])
      expect(eValue(withAffected(before, { canary: 9, production: 2 }, chance))).to.equal(eValue(before));
  });

  it("goes on the same after it was saved, within a block too", () => {
    fc.assert(
      fc.property(history, (looks) => {
        const before = after(looks);
        // Redis keeps text.
        const saved = JSON.parse(JSON.stringify(before)) as Evidence;
        const next = { canary: 2, production: 1 };
        expect(eValue(withAffected(saved, next, 0.3))).to.equal(eValue(withAffected(before, next, 0.3)));
      }),
    );
  });

  it("stays a number, however much there is", () => {
    const against = repeated({ affected: { canary: 1e6, production: 0 }, chance: 0.3, seconds: 3 }, 2000);
    const before = repeated({ affected: { canary: 0, production: 1e6 }, chance: 0.3, seconds: 3 }, 50);
    for (const evidence of [against, before]) expect(eValue(evidence)).to.satisfy(Number.isFinite);
    expect(eValue(against)).to.be.above(1e100);
    expect(eValue(before)).to.be.below(1e-6);
  });
});

/** Over all ways in which chance can divide the visitors; exactly. */
function meanEValue(
  before: Evidence,
  {
    visitors,
    probability,
    chance,
  }: { readonly visitors: number; readonly probability: number; readonly chance: number },
): number {
  return divisions(visitors, probability).reduce(
    (mean, division) => mean + division.probability * eValue(withAffected(before, division.affected, chance)),
    0,
  );
}

/** The probability that e is ever x or more at so many looks, at each of which two visitors are affected; exactly. */
function everReaches(evidence: Evidence, x: number, chance: number, looks: number): number {
  if (eValue(evidence) >= x) return 1;
  if (looks === 0) return 0;
  return divisions(2, chance).reduce(
    (total, { affected, probability }) =>
      total + probability * everReaches(withAffected(evidence, affected, chance), x, chance, looks - 1),
    0,
  );
}

function divisions(visitors: number, probability: number): { affected: Affected; probability: number }[] {
  return Array.from({ length: visitors + 1 }, (_, canary) => ({
    affected: { canary, production: visitors - canary },
    probability: binomial.pdf(canary, visitors, probability),
  }));
}

function after(looks: readonly Look[]): Evidence {
  return looks.reduce(
    (evidence, { affected, chance, seconds }) => withAffected(evidence, affected, chance, { seconds }),
    noEvidence(),
  );
}

function repeated(look: Look, times: number): Evidence {
  return after(Array<Look>(times).fill(look));
}
