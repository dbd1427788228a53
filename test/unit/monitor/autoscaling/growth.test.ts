import { expect } from "chai";
import { grownFrom, holdOf, isFutile, judged, type Growth } from "../../../../monitor/autoscaling/growth.js";

const BEFORE = { instances: 1, used: 80, answers: 1000 };
const COOLDOWN_MS = 120_000;

/** Increases from `BEFORE`, one after the other, after each of which this was so. */
const after = (...windows: (typeof BEFORE)[]): Growth | undefined =>
  windows.reduce<Growth | undefined>((growth, now) => judged(grownFrom(BEFORE, growth), now, 0), undefined);

const HELPED = { instances: 2, used: 90, answers: 1000 };
const FUTILE = { instances: 2, used: 160, answers: 1000 };

/** In cooldowns. */
const pauseOf = (growth: Growth | undefined): number =>
  (holdOf(growth, COOLDOWN_MS)?.retryAt ?? 0) / COOLDOWN_MS;

describe("the growth of an app", () => {
  it("is futile when each instance takes as much as before for no more answers", () => {
    expect(isFutile(BEFORE, FUTILE)).to.equal(true);
    expect(isFutile(BEFORE, HELPED)).to.equal(false);
  });

  it("helped when there are more answers for the CPU, as in a crowd", () => {
    const saturated = { instances: 1, used: 100, answers: 1000 };
    expect(isFutile(saturated, { instances: 2, used: 200, answers: 2000 })).to.equal(false);
    expect(isFutile(saturated, { instances: 2, used: 200, answers: 1000 })).to.equal(true);
  });

  it("is not judged by so few answers that it may be chance", () => {
    expect(isFutile({ ...BEFORE, answers: 20 }, { ...FUTILE, answers: 20 })).to.equal(false);
    expect(isFutile({ ...BEFORE, answers: 0 }, { ...FUTILE, answers: 0 })).to.equal(false);
    const five = { instances: 5, used: 400, answers: 300 };
    expect(isFutile(five, { instances: 6, used: 480, answers: 300 })).to.equal(false);
    expect(isFutile({ ...five, answers: 3000 }, { instances: 6, used: 480, answers: 3000 })).to.equal(true);
  });

  it("is judged once, and not when visitors have gone meanwhile", () => {
    expect(holdOf(grownFrom(BEFORE, undefined), COOLDOWN_MS)).to.equal(undefined);
    const futile = after(FUTILE);
    expect(futile?.futileAt).to.equal(0);
    expect(after(HELPED)).to.equal(undefined);
    expect(after({ ...FUTILE, answers: 600 })).to.equal(undefined);
    expect(futile && judged(futile, HELPED, 5000)).to.equal(futile);
  });

  it("is tried again after a pause that doubles with each futile increase in a row", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 20].map((count) =>
      pauseOf(after(...Array.from({ length: count }, () => FUTILE))),
    );
    expect(pauses).to.deep.equal([2, 4, 8, 16, 32, 32, 32]);
    expect(pauseOf(after(FUTILE, FUTILE, HELPED, FUTILE))).to.equal(2);
  });

  it("is a mere trial from the second futile increase on", () => {
    expect(holdOf(after(FUTILE), COOLDOWN_MS)).to.deep.include({ before: BEFORE, isTrial: false });
    expect(holdOf(after(FUTILE, FUTILE), COOLDOWN_MS)).to.deep.include({ before: BEFORE, isTrial: true });
  });

  it("goes back to before the first futile increase, if all in a row did not help together", () => {
    const more = { instances: 3, used: 240, answers: 1000 };
    expect(judged(grownFrom(FUTILE, after(FUTILE)), more, 0)?.before).to.equal(BEFORE);
    const cheaper = { instances: 2, used: 80, answers: 1000 };
    const dearer = { instances: 3, used: 120, answers: 1000 };
    expect(judged(grownFrom(cheaper, after(FUTILE)), dearer, 0)?.before).to.equal(cheaper);
    const helpedFirst = grownFrom(FUTILE, after(FUTILE, HELPED));
    expect(judged(helpedFirst, more, 0)?.before).to.equal(FUTILE);
    const eight = { instances: 8, used: 400, answers: 9000 };
    const nine = { instances: 9, used: 480, answers: 9000 };
    const ten = { instances: 10, used: 580, answers: 9000 };
    const leaks = judged(grownFrom(eight, undefined), nine, 0);
    expect(leaks?.futileInRow).to.equal(1);
    expect(judged(grownFrom(nine, leaks), ten, 0)).to.deep.include({ before: nine, beforeRow: eight });
  });
});
