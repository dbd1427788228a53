import { expect } from "chai";
import { stretchOf } from "../../../../monitor/autoscaling/stolen-time.js";

const cpu = (user: number, system: number, steal: number) => ({ user, system, iowait: 0, steal, busy: 0 });

describe("stolen time", () => {
  it("makes the CPU that was used what was wanted", () => {
    expect(stretchOf(cpu(20, 5, 0))).to.equal(1);
    expect(stretchOf(cpu(20, 5, 25))).to.equal(2);
    expect(stretchOf(cpu(0, 0, 10))).to.equal(1);
  });
});
