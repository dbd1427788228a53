import { expect } from "chai";
import statistics from "jstat";
import {
  differenceInterval,
  normalQuantile,
  wilsonInterval,
  type Interval,
} from "../../../../../server/canary/statistics/interval.js";

const { binomial, normal } = statistics.jStat;
const SHARES = Array.from({ length: 99 }, (_, index) => (index + 1) / 100);

describe("the interval of a share", () => {
  it("takes the normal quantiles that another library knows", () => {
    for (const probability of [...SHARES, 0.001, 0.025, 0.975, 0.995, 0.9995, 0.999999])
      expect(normalQuantile(probability)).to.be.closeTo(normal.inv(probability, 0, 1), 1e-9);
  });

  it("is as published (Newcombe 1998, table I)", () => {
    expectInterval(wilsonInterval(81, 263), 0.2553, 0.3662);
    expectInterval(wilsonInterval(15, 148), 0.0624, 0.1605);
    expectInterval(wilsonInterval(0, 20), 0, 0.1611);
    expectInterval(wilsonInterval(1, 29), 0.0061, 0.1718);
  });

  it("ends where the score test of that confidence rejects", () => {
    for (const confidence of [0.8, 0.95, 0.99]) {
      const { low, high } = wilsonInterval(7, 40, confidence);
      for (const bound of [low, high]) {
        const score = Math.abs(7 / 40 - bound) / Math.sqrt((bound * (1 - bound)) / 40);
        expect(score).to.be.closeTo(normal.inv((1 + confidence) / 2, 0, 1), 1e-9);
      }
    }
  });

  it("holds the true share as often as it says, on average over shares", () => {
    for (const trials of [10, 30, 100]) {
      const held = SHARES.map((share) =>
        probability([trials], [share], ([successes]) => holds(wilsonInterval(successes!, trials), share)),
      );
      expect(mean(held)).to.be.within(0.945, 0.965);
    }
  });

  it("is everything when nothing was tried", () => {
    expect(wilsonInterval(0, 0)).to.deep.equal({ low: 0, high: 1 });
  });
});

describe("the interval of a difference of shares", () => {
  it("is as published (Newcombe 1998, table II, method 10)", () => {
    expectInterval(differenceOf(56, 70, 48, 80), 0.0524, 0.3339);
    expectInterval(differenceOf(9, 10, 3, 10), 0.1705, 0.809);
    expectInterval(differenceOf(6, 7, 2, 7), 0.0582, 0.8062);
    expectInterval(differenceOf(5, 56, 0, 29), -0.0381, 0.1926);
    expectInterval(differenceOf(0, 10, 0, 20), -0.1611, 0.2775);
    expectInterval(differenceOf(10, 10, 0, 20), 0.6791, 1);
  });

  it("holds the true difference as often as it says, on average over shares", () => {
    const trials = [30, 50];
    const grid = SHARES.filter((_, index) => index % 7 === 3);
    const held = grid.flatMap((a) =>
      grid.map((b) =>
        probability(trials, [a, b], ([inA, inB]) => holds(differenceOf(inA!, 30, inB!, 50), a - b)),
      ),
    );
    expect(mean(held)).to.be.within(0.945, 0.965);
    expect(Math.min(...held)).to.be.above(0.92);
  });

  it("turns round with its sides", () => {
    const { low, high } = differenceOf(9, 40, 3, 70);
    const turned = differenceOf(3, 70, 9, 40);
    expect(turned.low).to.be.closeTo(-high, 1e-12);
    expect(turned.high).to.be.closeTo(-low, 1e-12);
  });

  it("is everything when nothing was tried on a side", () => {
    expect(differenceOf(0, 0, 3, 10)).to.deep.equal({ low: -1, high: 1 });
    expect(differenceOf(3, 10, 0, 0)).to.deep.equal({ low: -1, high: 1 });
  });
});

function differenceOf(inA: number, ofA: number, inB: number, ofB: number): Interval {
  return differenceInterval({ successes: inA, trials: ofA }, { successes: inB, trials: ofB });
}

/** Of all outcomes for which it is true; exactly. */
function probability(
  [trials = 0, ...moreTrials]: readonly number[],
  [share = 0, ...moreShares]: readonly number[],
  isTrue: (successes: readonly number[]) => boolean,
): number {
  let total = 0;
  for (let successes = 0; successes <= trials; successes++) {
    const rest =
      moreTrials.length === 0
        ? Number(isTrue([successes]))
        : probability(moreTrials, moreShares, (others) => isTrue([successes, ...others]));
    total += rest * binomial.pdf(successes, trials, share);
  }
  return total;
}

function holds({ low, high }: Interval, value: number): boolean {
  return low <= value && value <= high;
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Published with four places. */
function expectInterval({ low, high }: Interval, expectedLow: number, expectedHigh: number): void {
  expect(low).to.be.closeTo(expectedLow, 0.00005);
  expect(high).to.be.closeTo(expectedHigh, 0.00005);
}
