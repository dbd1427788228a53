import { expect } from "chai";
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
      "The canary shows no sign of being worse than production: 5 of 100 visitors met an error, production's 10 of 200; errors 0.5 % of 1,000 requests, production 0.5 % of 2,000, p50 10 ms and p99 10 ms, production 10 ms and 10 ms.",
    );
  });

  it("holds without data, whatever is asked for", () => {
    const none = counts({ requests: 0, visitors: 0 });
    expect(verdictOn({ canary: none, production: none }, { minRequests: 0 })).to.include({
      word: "hold",
      reason: "The canary has had 0 of the 1 requests needed in this step.",
    });
    expect(verdictOn({ canary: counts({ requests: 99 }) }).reason).to.equal(
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

  it("holds until five visitors have come, so that no single one decides that a canary is good", () => {
    const later = (canary: number, production: number): Verdict =>
      verdictOn({ visitorsInStep: { canary, production } });
    expect(later(4, 100)).to.include({
      word: "hold",
      reason:
        "The canary has had 4 of the 5 visitors needed in this step; who came before it began does not count.",
    });
    expect(later(5, 0)).to.include({
      word: "hold",
      reason: "Production had no requests to compare with the canary's.",
    });
    expect(later(5, 1).word).to.equal("pass");
  });

  it("holds until the step is over", () => {
    expect(verdictOn({ secondsInStep: 24.5 }).reason).to.match(
      /^No sign so far that the canary is worse; the step has 36 s left: /,
    );
    expect(verdictOn({ secondsInStep: 24.5 }).word).to.equal("hold");
    expect(verdictOn({ secondsInStep: 60 }).word).to.equal("pass");
  });

  describe("above the limit of errors", () => {
    const failing = { requests: 60, errors: 9, visitors: 20, visitorsWithErrors: 5 };
    const wordOn = (canary: Partial<Counts>, production: Partial<Counts> = {}): string =>
      verdictOn(
        { secondsInStep: 0, canary: counts({ ...failing, ...canary }), production: counts(production) },
        { maxErrorShare: 0.1 },
      ).word;

    it("is a fail at once", () => {
      const failed = verdictOn({ secondsInStep: 0, canary: counts(failing) }, { maxErrorShare: 0.1 });
      expect(failed.word).to.equal("fail");
      expect(failed.reason).to.equal(
        "The canary fails more requests than the allowed 10 %: errors 15 % of 60 requests, production 0.5 % of 2,000; 5 of 20 visitors met an error, production's 10 of 200.",
      );
      expect(wordOn({}, { requests: 0, errors: 0, visitors: 0, visitorsWithErrors: 0 })).to.equal("fail");
    });

    it("needs twenty visitors, five of whom met an error", () => {
      expect(wordOn({ visitors: 19 })).to.equal("hold");
      expect(wordOn({ visitorsWithErrors: 4 })).to.equal("hold");
      expect(wordOn({ requests: 1000, errors: 900, visitorsWithErrors: 1 })).to.equal("hold");
    });

    it("needs many of the requests and many of the visitors", () => {
      expect(wordOn({ errors: 6 })).to.equal("hold");
      expect(wordOn({ visitors: 50, visitorsWithErrors: 5 })).to.equal("hold");
    });

    it("is no fault of the canary where production does as badly", () => {
      expect(wordOn({}, { errors: 150, visitorsWithErrors: 5 })).to.equal("hold");
      expect(wordOn({}, { errors: 5, visitorsWithErrors: 25 })).to.equal("hold");
    });
  });

  describe("above the limit of p99", () => {
    const slow = { requests: 100, visitors: 20, visitorsOverP99: 5 };
    const wordOn = (canary: Partial<Counts>, production: Partial<Counts> = {}, bucket = 21): string =>
      verdictOn(
        { canary: counts({ ...slow, ...canary }, bucket), production: counts(production) },
        { maxP99Ratio: 2, minRequests: 10_000 },
      ).word;

    it("is a fail at once", () => {
      const failed = verdictOn({ canary: counts(slow, 21) }, { maxP99Ratio: 2, minRequests: 10_000 });
      expect(failed.word).to.equal("fail");
      expect(failed.reason).to.equal(
        "The canary's p99 is more than the allowed 2 times that of production: p50 21 ms and p99 21 ms, production 10 ms and 10 ms; 5 of 20 visitors met a slow answer, production's 0 of 200.",
      );
      expect(wordOn({}, {}, 20)).to.equal("hold");
    });

    it("needs a hundred answers on both sides", () => {
      expect(wordOn({ requests: 99 })).to.equal("hold");
      expect(wordOn({}, { requests: 99 })).to.equal("hold");
    });

    it("needs twenty visitors, five of whom met a slow answer", () => {
      expect(wordOn({ visitors: 19 })).to.equal("hold");
      expect(wordOn({ visitorsOverP99: 4 })).to.equal("hold");
    });
  });

  it("fails on clear evidence of more errors, before all requests are there or the step is over", () => {
    const canary = counts({ requests: 60, errors: 9, visitors: 20, visitorsWithErrors: 8 });
    const verdict = verdictOn({ canary, eErrors: 123.4, secondsInStep: 1 });
    expect(verdict.word).to.equal("fail");
    expect(verdict.reason).to.equal(
      "The canary's visitors meet errors more often than those of production: 8 of 20 visitors met an error, production's 10 of 200; errors 15 % of 60 requests, production 0.5 % of 2,000. By chance, at most one in 123 canaries that are as good as production would look like this.",
    );
    expect(verdictOn({ canary, eErrors: 99.9 }).word).to.equal("hold");
    expect(verdictOn({ canary, eErrors: 123.4 }, { falseAlarms: 1e-9 }).word).to.equal("hold");
  });

  it("fails on clear evidence of slowness", () => {
    const verdict = verdictOn({ eLatency: 2e6 });
    expect(verdict.word).to.equal("fail");
    expect(verdict.reason).to.match(
      /^The canary's visitors meet slow answers more often than those of production: 0 of 100 visitors met a slow answer, .* one in a million canaries/,
    );
    expect(verdictOn({ eLatency: 99.9 }).word).to.equal("hold");
  });

  it("holds while it is undecided, though the step is over", () => {
    expect(verdictOn({ eErrors: 10 }).word).to.equal("hold");
    expect(verdictOn({ eErrors: 10 }).reason).to.match(
      /^It is not clear yet whether the canary's visitors meet errors more often than those of production: /,
    );
    expect(verdictOn({ eLatency: 10 }).word).to.equal("hold");
    expect(verdictOn({ eLatency: 10 }).reason).to.match(
      /^It is not clear yet whether the canary is slower than production: /,
    );
    expect(verdictOn({ eErrors: 9.9, eLatency: 9.9 }).word).to.equal("pass");
  });

  it("names the baseline where that is what the canary is compared with", () => {
    expect(verdictOn({ against: "baseline", eErrors: 123 }).reason).to.match(/than those of the baseline: /);
    expect(verdictOn({ against: "baseline", visitorsInStep: { canary: 5, production: 0 } }).reason).to.match(
      /^The baseline .* had no requests/,
    );
  });

  it("carries its numbers as plain JSON", () => {
    const { numbers } = verdictOn({ production: counts({ requests: 0, errors: 0 }) });
    expect(JSON.parse(JSON.stringify(numbers))).to.deep.equal(numbers);
    expect(numbers.canary).to.include({
      requests: 1000,
      errors: 5,
      errorShare: 0.005,
      visitors: 100,
      visitorsWithErrors: 5,
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
  const {
    canary = counts({}),
    production = counts({ requests: 2000, errors: 10, visitors: 200, visitorsWithErrors: 10 }),
  } = figures;
  return judge(
    {
      canary,
      production,
      requestsInStep: { canary: canary.requests, production: production.requests },
      visitorsInStep: { canary: canary.visitors, production: production.visitors },
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

function counts(figures: Partial<Counts>, bucket = FAST_BUCKET): Counts {
  const { requests = 1000 } = figures;
  return {
    requests,
    errors: 5,
    visitors: 100,
    visitorsWithErrors: 5,
    visitorsWithManyErrors: 0,
    visitorsOverP90: 0,
    visitorsOverP99: 0,
    histogram: new Map(requests === 0 ? [] : [[bucket, requests]]),
    ...figures,
  };
}
