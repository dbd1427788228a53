import { expect } from "chai";
import { eValue, noEvidence, withBlock } from "../../../../../server/canary/statistics/evidence.js";
import {
  latencyEValue,
  noLatencyEvidence,
  withHistograms,
  type Histograms,
  type LatencyEvidence,
} from "../../../../../server/canary/statistics/latency-evidence.js";
import type { Counts, Figures } from "../../../../../server/canary/statistics/verdict-numbers.js";
import {
  judge,
  type Verdict,
  type VerdictSettings,
} from "../../../../../server/canary/statistics/verdict.js";

const SETTINGS: VerdictSettings = { minRequests: 100, stepSeconds: 60, falseAlarms: 0.01 };
const FAST_BUCKET = 10;

describe("the verdict on a canary", () => {
  it("is a pass when there were enough requests, the step is over and nothing speaks against it", () => {
    const verdict = verdictOn({});
    expect(verdict.word).to.equal("pass");
    expect(verdict.reason).to.equal(
      "The canary shows no sign of being worse than production: errors 0.5 % of 1,000 requests, production 0.5 % of 2,000, p50 10 ms and p99 10 ms, production 10 ms and 10 ms.",
    );
  });

  it("holds without data, whatever is asked for", () => {
    const none = counts(0, 0);
    expect(verdictOn({ canary: none, production: none }, { minRequests: 0 })).to.include({
      word: "hold",
      reason: "The canary has had 0 of the 1 requests needed in this step.",
    });
    expect(verdictOn({ canary: counts(99, 0) }).reason).to.equal(
      "The canary has had 99 of the 100 requests needed in this step.",
    );
    expect(verdictOn({ production: none })).to.include({
      word: "hold",
      reason: "Production had no requests to compare with the canary's.",
    });
  });

  it("holds without data in a later step, whatever was seen in those before", () => {
    const later = (canary: number, production: number): Verdict =>
      verdictOn({ requestsInStep: { canary, production } });
    expect(later(0, 100).reason).to.equal("The canary has had 0 of the 100 requests needed in this step.");
    expect([later(99, 100), later(100, 0), later(100, 1)].map(({ word }) => word)).to.deep.equal([
      ...["hold", "hold", "pass"],
    ]);
  });

  it("holds until the step is over", () => {
    expect(verdictOn({ secondsInStep: 24.5 }).reason).to.match(
      /^No sign so far that the canary is worse; the step has 36 s left: /,
    );
    expect(verdictOn({ secondsInStep: 24.5 }).word).to.equal("hold");
    expect(verdictOn({ secondsInStep: 60 }).word).to.equal("pass");
  });

  it("fails at once above the limit of errors, with twenty requests, when production does better", () => {
    const limit = { maxErrorShare: 0.1 };
    const early = { secondsInStep: 0 };
    const failed = verdictOn({ ...early, canary: counts(20, 3) }, limit);
    expect(failed.word).to.equal("fail");
    expect(failed.reason).to.equal(
      "The canary fails more requests than the allowed 10 %: errors 15 % of 20 requests, production 0.5 % of 2,000.",
    );
    expect(verdictOn({ ...early, canary: counts(19, 19) }, limit).word).to.equal("hold");
    expect(verdictOn({ ...early, canary: counts(20, 2) }, limit).word).to.equal("hold");
    expect(verdictOn({ ...early, canary: counts(20, 3), production: counts(100, 15) }, limit).word).to.equal(
      "hold",
    );
    expect(verdictOn({ ...early, canary: counts(20, 3), production: counts(0, 0) }, limit).word).to.equal(
      "fail",
    );
  });

  it("fails at once above the limit of p99, with a hundred answers on both sides", () => {
    const limit = { maxP99Ratio: 2, minRequests: 1000 };
    const slow = (answers: number): Counts => counts(answers, 0, FAST_BUCKET * 2 + 1);
    const failed = verdictOn({ canary: slow(100) }, limit);
    expect(failed.word).to.equal("fail");
    expect(failed.reason).to.equal(
      "The canary's p99 is more than the allowed 2 times that of production: p50 21 ms and p99 21 ms, production 10 ms and 10 ms.",
    );
    expect(verdictOn({ canary: slow(99) }, limit).word).to.equal("hold");
    expect(verdictOn({ canary: slow(100), production: counts(99, 0) }, limit).word).to.equal("hold");
    expect(verdictOn({ canary: counts(100, 0, FAST_BUCKET * 2) }, limit).word).to.equal("hold");
  });

  it("fails on clear evidence of more errors, before all requests are there or the step is over", () => {
    const verdict = verdictOn({ canary: counts(60, 9), eErrors: errorsSeen(9), secondsInStep: 1 });
    expect(verdict.numbers.eErrors).to.be.above(100);
    expect(verdict.word).to.equal("fail");
    expect(verdict.reason).to.match(
      /^The canary fails more requests than production: errors 15 % of 60 requests, production 0.5 % of 2,000. By chance, at most one in [\d,]+ canaries that are as good as production would look like this.$/,
    );
    expect(verdictOn({ canary: counts(60, 9), eErrors: errorsSeen(9) }, { falseAlarms: 1e-9 }).word).to.equal(
      "hold",
    );
  });

  it("fails on clear evidence of slowness", () => {
    const verdict = verdictOn({ eLatency: slownessSeen(20) });
    expect(verdict.numbers.eLatency).to.be.above(1e6);
    expect(verdict.word).to.equal("fail");
    expect(verdict.reason).to.match(
      /^The canary is slower than production: p50 .* one in a million canaries/,
    );
  });

  it("holds while it is undecided, though the step is over", () => {
    const errors = verdictOn({ eErrors: errorsSeen(4) });
    expect(errors.numbers.eErrors).to.be.within(10, 100);
    expect(errors).to.include({ word: "hold" });
    expect(errors.reason).to.match(
      /^It is not clear yet whether the canary fails more requests than production: /,
    );
    const latency = verdictOn({ eLatency: slownessSeen(4) });
    expect(latency.numbers.eLatency).to.be.within(10, 100);
    expect(latency).to.include({ word: "hold" });
    expect(latency.reason).to.match(/^It is not clear yet whether the canary is slower than production: /);
  });

  it("carries its numbers as plain JSON", () => {
    const { numbers } = verdictOn({ production: counts(0, 0) });
    expect(JSON.parse(JSON.stringify(numbers))).to.deep.equal(numbers);
    expect(numbers.canary).to.include({
      requests: 1000,
      errors: 5,
      errorShare: 0.005,
      answers: 1000,
      p50Ms: 10,
    });
    expect(numbers.canary.errorShareInterval.low).to.be.within(0, 0.005);
    expect(numbers.production).to.include({ errorShare: null, p50Ms: null, p99Ms: null });
    expect(numbers.production.errorShareInterval).to.deep.equal({ low: 0, high: 1 });
  });
});

/** On a canary that is as good as production, but for what is given. */
function verdictOn(figures: Partial<Figures>, settings: Partial<VerdictSettings> = {}): Verdict {
  const { canary = counts(1000, 5), production = counts(2000, 10) } = figures;
  return judge(
    {
      canary,
      production,
      requestsInStep: { canary: canary.requests, production: production.requests },
      eErrors: 1,
      eLatency: 1,
      secondsInStep: 60,
      against: "production",
      ...figures,
    },
    { ...SETTINGS, ...settings },
    (bucket) => bucket,
  );
}

function counts(requests: number, errors: number, bucket = FAST_BUCKET): Counts {
  return { requests, errors, histogram: new Map(requests === 0 ? [] : [[bucket, requests]]) };
}

function errorsSeen(bad: number): number {
  return eValue(withBlock(noEvidence(), { canary: { bad, all: 60 }, production: { bad: 1, all: 200 } }));
}

function slownessSeen(blocks: number): number {
  const production = new Map([[FAST_BUCKET, 1000]]);
  const slow = { canary: new Map([[FAST_BUCKET * 2, 100]]), production };
  const known = withBlockOf(noLatencyEvidence(), { canary: new Map(), production });
  return latencyEValue(Array<Histograms>(blocks).fill(slow).reduce(withBlockOf, known));
}

/** Buckets are all that counts here. */
function withBlockOf(evidence: LatencyEvidence, block: Histograms): LatencyEvidence {
  return withHistograms(evidence, block, { factor: 1.25, ms: 0 });
}
