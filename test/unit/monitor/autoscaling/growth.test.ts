import { expect } from "chai";
import { isFutile, judged } from "../../../../monitor/autoscaling/growth.js";

const BEFORE = { instances: 1, load: 80, answers: 1000 };

describe("the growth of an app", () => {
  it("is futile when each instance takes as much as before for no more answers", () => {
    expect(isFutile(BEFORE, { instances: 2, load: 160, answers: 1000 })).to.equal(true);
    expect(isFutile(BEFORE, { instances: 2, load: 90, answers: 1000 })).to.equal(false);
  });

  it("helped when there are more answers for the CPU, as in a crowd", () => {
    const saturated = { instances: 1, load: 100, answers: 1000 };
    expect(isFutile(saturated, { instances: 2, load: 200, answers: 2000 })).to.equal(false);
    expect(isFutile(saturated, { instances: 2, load: 200, answers: 1000 })).to.equal(true);
  });

  it("is not judged by so few answers that it may be chance", () => {
    expect(isFutile({ ...BEFORE, answers: 20 }, { instances: 2, load: 160, answers: 20 })).to.equal(false);
    expect(isFutile({ ...BEFORE, answers: 0 }, { instances: 2, load: 160, answers: 0 })).to.equal(false);
    const five = { instances: 5, load: 400, answers: 300 };
    expect(isFutile(five, { instances: 6, load: 480, answers: 300 })).to.equal(false);
    expect(isFutile({ ...five, answers: 3000 }, { instances: 6, load: 480, answers: 3000 })).to.equal(true);
  });

  it("is judged once, and not when visitors have gone meanwhile", () => {
    const growth = { before: BEFORE, isFutile: undefined };
    expect(judged(growth, { instances: 2, load: 160, answers: 1000 })?.isFutile).to.equal(true);
    expect(judged(growth, { instances: 2, load: 90, answers: 1000 })).to.equal(undefined);
    expect(judged(growth, { instances: 2, load: 160, answers: 600 })).to.equal(undefined);
    const futile = { before: BEFORE, isFutile: true };
    expect(judged(futile, { instances: 2, load: 90, answers: 1000 })).to.equal(futile);
  });
});
