import { expect } from "chai";
import fc from "fast-check";
import {
  eValue,
  noEvidence,
  withAffected,
  type Affected,
  type Evidence,
} from "../../../../../server/canary/statistics/evidence.js";
import {
  windowedFrom,
  windowedValue,
  withNext,
  type WindowedEvidence,
} from "../../../../../server/canary/statistics/windowed-evidence.js";

const GOOD: Affected = { canary: 3, production: 7 };
const BAD: Affected = { canary: 5, production: 7 };
const OUTAGE_OF_PRODUCTION: Affected = { canary: 0, production: 5000 };

describe("evidence that is renewed", () => {
  it("says nothing at first", () => {
    expect(value(NONE)).to.be.at.most(1);
  });

  it("sees a canary that turns bad after a day of being good soon, as the evidence of all of it does not", () => {
    const fresh = looksUntilClear(NONE);
    const day = times(NONE, DAY_SECONDS / LOOK_SECONDS, GOOD);
    expect(day.window.index).to.be.above(100);
    const late = looksUntilClear(day);
    expect(late).to.be.at.most(4 * fresh);
    expect(looksUntilClear(day, ({ whole }) => KIND.valueOf(whole))).to.be.above(4 * late);
  });

  it("sees a bad canary after an outage of production alone, once the next window has begun", () => {
    const later = after(NONE, OUTAGE_OF_PRODUCTION);
    const untilNextWindow = 600 / LOOK_SECONDS;
    expect(looksUntilClear(later)).to.be.at.most(untilNextWindow + 2 * looksUntilClear(NONE));
    expect(looksUntilClear(later, ({ whole }) => KIND.valueOf(whole))).to.be.above(1000);
  });

  it("ends a window after its time only, and when it has seen enough", () => {
    expect(times(NONE, 200, GOOD).window.index).to.equal(1);
    expect(times(NONE, 201, GOOD).window.index).to.equal(2);
    expect(times(NONE, 400, GOOD, { requests: 1 }).window.index).to.equal(1);
  });

  it("is a mean of its parts: never below half of the whole, and its weights never above 1, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 700 })), { maxLength: 40 }),
        (looks) => {
          let now = NONE;
          const weights: number[] = [];
          for (const [canary, seconds] of looks) {
            const index = now.window.index;
            now = after(now, { canary, production: 10 }, { seconds });
            if (now.window.index > index) weights.push(1 / (index * (index + 1)));
            expect(value(now)).to.be.at.least(KIND.valueOf(now.whole) / 2);
          }
          expect(weights.reduce((sum, weight) => sum + weight, 0)).to.be.below(1);
        },
      ),
    );
  });

  it("is plain JSON", () => {
    const seen = times(NONE, 30, BAD);
    expect(JSON.parse(JSON.stringify(seen))).to.deep.equal(seen);
  });
});

const DAY_SECONDS = 86_400;
const LOOK_SECONDS = 3;
const KIND = { valueOf: eValue, again: noEvidence };
const NONE = windowedFrom(noEvidence());

function value(evidence: WindowedEvidence<Evidence>): number {
  return windowedValue(evidence, KIND);
}

function after(
  evidence: WindowedEvidence<Evidence>,
  affected: Affected,
  { seconds = LOOK_SECONDS, requests = 10 } = {},
): WindowedEvidence<Evidence> {
  const step = (before: Evidence): Evidence => withAffected(before, affected, 0.3, { seconds });
  return withNext(evidence, step, { seconds, requests }, KIND);
}

function times(
  evidence: WindowedEvidence<Evidence>,
  looks: number,
  affected: Affected,
  { requests = 10 } = {},
): WindowedEvidence<Evidence> {
  return Array.from({ length: looks }).reduce<WindowedEvidence<Evidence>>(
    (before) => after(before, affected, { requests }),
    evidence,
  );
}

/** Looks at a bad canary until it speaks at 100 to 1; infinite after 5,000. */
function looksUntilClear(evidence: WindowedEvidence<Evidence>, valueOf = value): number {
  let now = evidence;
  for (let looks = 0; looks < 5000; looks++) {
    if (valueOf(now) >= 100) return looks;
    now = after(now, BAD);
  }
  return Infinity;
}
