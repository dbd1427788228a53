import { expect } from "chai";
import fc from "fast-check";
import { retryPauseMs } from "../../../../core/outbox/retry-pause.js";

const HOUR_MS = 3_600_000;
const chance = fc.double({ min: 0, max: 1, noNaN: true });

describe("the pause before another try", () => {
  it("grows from a second to an hour", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => retryPauseMs(failures, 0.5));
    expect(pauses).to.deep.equal([1000, 5000, 30_000, 120_000, 600_000, HOUR_MS, HOUR_MS, HOUR_MS]);
  });

  it("never shrinks from one failure to the next before it has reached the hour, however it is spread", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), chance, chance, (failures, first, second) => {
        expect(retryPauseMs(failures + 1, second)).to.be.above(retryPauseMs(failures, first));
      }),
    );
  });

  it("is a whole number of milliseconds within a fifth of its middle, and spread over all of it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), chance, (failures, random) => {
        const middleMs = retryPauseMs(failures, 0.5);
        const pauseMs = retryPauseMs(failures, random);
        expect(Number.isInteger(pauseMs)).to.equal(true);
        expect(pauseMs).to.be.within(0.8 * middleMs, 1.2 * middleMs);
        expect(pauseMs).to.equal(Math.round(middleMs * (0.8 + 0.4 * random)));
      }),
    );
    expect([retryPauseMs(1, 0), retryPauseMs(1, 1)]).to.deep.equal([800, 1200]);
  });
});
