import { expect } from "chai";
import { CALM, calmAfter, type Calm } from "../../../../monitor/autoscaling/calm.js";

/** `[second, number]` of each change, from 3 on. */
const after = (...changes: [second: number, to: number][]): number => {
  let [calm, from]: [Calm, number] = [CALM, 3];
  for (const [second, to] of changes) {
    calm = calmAfter(calm, { from, to, at: second * 1000, cooldownMs: 120_000 });
    from = to;
  }
  return calm.cooldowns;
};

describe("how long it must be calm before instances go", () => {
  it("is doubled when instances went too early, from three to twelve cooldowns at most", () => {
    expect(after([0, 2], [240, 3])).to.equal(6);
    expect(after([0, 2], [240, 3], [600, 2], [700, 3])).to.equal(12);
    const often = Array.from({ length: 20 }, (_, index): [number, number] => [index * 200, 2 + (index % 2)]);
    expect(after(...often)).to.equal(12);
  });

  it("stays as it is when an instance was not missed for a while", () => {
    expect(after([0, 2], [241, 3])).to.equal(3);
    expect(after([0, 2], [100, 3], [600, 2], [1000, 3])).to.equal(6);
    expect(after([0, 2], [100, 3], [600, 2], [800, 1])).to.equal(6);
  });

  it("is halved by the first change after four hours in which none went too early", () => {
    const twice: [number, number][] = [
      [0, 2],
      [100, 3],
      [1000, 2],
      [1100, 3],
    ];
    const hours = (count: number): number => 1100 + count * 3600;
    expect(after(...twice, [hours(4), 2])).to.equal(12);
    expect(after(...twice, [hours(4.3), 2])).to.equal(6);
    expect(after(...twice, [hours(4.3), 2], [hours(4.6), 1])).to.equal(6);
    expect(after(...twice, [hours(4.3), 2], [hours(9), 1])).to.equal(3);
    expect(after(...twice, [hours(4.3), 2], [hours(9), 1], [hours(14), 2])).to.equal(3);
  });
});
