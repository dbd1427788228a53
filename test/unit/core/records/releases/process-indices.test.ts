import { expect } from "chai";
import fc from "fast-check";
import { indicesOf, withoutIndices } from "../../../../../core/records/releases/process-indices.js";
import type { ReleaseProcess } from "../../../../../core/records/releases/release-process.js";

const web = (quantity: number, indices?: number[]): ReleaseProcess => ({
  ...{ name: "web", command: "run", quantity },
  ...(indices === undefined ? {} : { indices }),
});
const small = fc.uniqueArray(fc.integer({ min: 1, max: 9 }));

describe("the indices of a process's instances", () => {
  it("are 1 to their number, unless some were replaced", () => {
    expect(indicesOf(web(3))).to.deep.equal([1, 2, 3]);
    expect(indicesOf(web(0))).to.deep.equal([]);
    expect(indicesOf(web(2, [2, 5]))).to.deep.equal([2, 5]);
  });

  it("stay when there are more of them, and the first ones when there are fewer", () => {
    expect(indicesOf(web(4, [2, 5]))).to.deep.equal([2, 5, 1, 3]);
    expect(indicesOf(web(1, [2, 5]))).to.deep.equal([2]);
  });

  it("are replaced by the smallest that no instance has or had a moment ago", () => {
    expect(withoutIndices(web(1), new Set([1]), new Set([1])).indices).to.deep.equal([2]);
    expect(withoutIndices(web(1, [2]), new Set([2]), new Set([2])).indices).to.deep.equal([1]);
    expect(withoutIndices(web(1, [2]), new Set([2]), new Set([1, 2])).indices).to.deep.equal([3]);
    expect(withoutIndices(web(3), new Set([2]), new Set([1, 2, 3])).indices).to.deep.equal([1, 3, 4]);
    expect(withoutIndices(web(2), new Set([7]), new Set())).to.deep.equal(web(2));
  });

  it("are always as many as there are instances, each once, and none that leaves or is taken", () => {
    fc.assert(
      fc.property(fc.nat(6), small, small, small, (quantity, indices, leaving, taken) => {
        const before = web(quantity, indices);
        const kept = indicesOf(before).filter((index) => !leaving.includes(index));
        const after = indicesOf(withoutIndices(before, new Set(leaving), new Set(taken)));
        expect(after).to.have.length(quantity);
        expect(new Set(after).size).to.equal(quantity);
        expect(after).to.include.members(kept);
        for (const index of after)
          if (!kept.includes(index)) expect([...leaving, ...taken]).not.to.include(index);
      }),
    );
  });
});
