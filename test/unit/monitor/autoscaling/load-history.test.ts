import { expect } from "chai";
import { peakOf, withLoad, type LoadHistory } from "../../../../monitor/autoscaling/load-history.js";

const WINDOWS = { windowMs: 5000, keptMs: 20_000 };

/** A sample a second from 1 s on. */
const historyOf = (...loads: number[]): LoadHistory =>
  loads.reduce<LoadHistory>(
    (history, load, index) => withLoad(history, { at: (index + 1) * 1000, load, used: load / 2 }, WINDOWS),
    [],
  );

describe("the history of an app's load", () => {
  it("has a mean of each window, once enough of it is known", () => {
    const means = historyOf(10, 20, 30, 40, 50, 60).map(({ mean }) => mean);
    expect(means).to.deep.equal([undefined, undefined, undefined, 25, 30, 40]);
    const used = historyOf(10, 20, 30, 40, 50, 60).map(({ meanUsed }) => meanUsed);
    expect(used).to.deep.equal([undefined, undefined, undefined, 12.5, 15, 20]);
  });

  it("does not know a mean over a gap", () => {
    const history = withLoad(historyOf(10, 20, 30, 40, 50), { at: 9000, load: 100, used: 50 }, WINDOWS);
    expect(history.at(-1)?.mean).to.equal(undefined);
  });

  it("knows the highest mean of a time that it has seen", () => {
    const history = historyOf(0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(peakOf(history, 14_000, 10_000)).to.equal(20);
    expect(peakOf(history, 14_000, 5_000)).to.equal(0);
    expect(peakOf(history, 14_000, 16_000)).to.equal(undefined);
    expect(peakOf([], 14_000, 5_000)).to.equal(undefined);
  });

  it("forgets what is older than it must keep", () => {
    const history = historyOf(...Array.from({ length: 60 }, () => 1));
    expect(history.length).to.equal(20);
    expect(history[0]?.at).to.equal(41_000);
  });
});
