import { expect } from "chai";
import { bucketOf } from "../../../../../core/records/traffic/latency-buckets.js";
import { noTraffic } from "../../../../../core/records/traffic/traffic.js";
import type { ReleaseTraffic } from "../../../../../core/records/traffic/traffic-series.js";
import { newCanary, type CanaryRecord } from "../../../../../server/canary/canary-record.js";
import { ERRORS } from "../../../../../server/canary/statistics/evidence.js";
import { LATENCY } from "../../../../../server/canary/statistics/latency-evidence.js";
import { withTraffic } from "../../../../../server/canary/judging/observe.js";
import { windowedValue } from "../../../../../server/canary/statistics/windowed-evidence.js";

const LOOK = { against: "production", cursor: "1-0" };

describe("what is seen of a canary", () => {
  const canary = traffic({ release: "v2", track: "canary", answersOk: 40, answers5xx: 10, ms: 100 });
  const production = traffic({
    release: "v1",
    track: "production",
    answersOk: 400,
    answers5xx: 0,
    ms: 10,
  });
  const all = [canary, production];

  it("is what its visitors and production's did", () => {
    const record = seen(all);
    expect(record.canary).to.deep.include({
      requests: 400,
      errors: 80,
      visitors: 400,
      histogram: [[bucketOf(100_000), 400]],
    });
    expect(record.production).to.deep.include({ requests: 3200, errors: 0, visitors: 3200 });
    expect(windowedValue(record.errors, ERRORS)).to.be.above(100);
    expect(windowedValue(record.latency, LATENCY)).to.be.above(100);
    expect(record.secondsInStep).to.equal(38);
    expect(record.inStep).to.deep.equal({ canary: 400, production: 3200 });
  });

  it("is no latency while its instances warm up, in its first ten seconds, or half of a short step", () => {
    const record = seen(all, { secondsInStep: 0 });
    expect(record.canary).to.deep.include({ requests: 400, errors: 80, histogram: [] });
    expect(record.production.histogram).to.deep.equal([]);
    expect(windowedValue(record.errors, ERRORS)).to.be.above(100);
    expect(windowedValue(record.latency, LATENCY)).to.equal(0.75);
    const later = seen(all, { secondsInStep: 0, step: 1 });
    expect(later.canary.histogram).to.deep.equal([[bucketOf(100_000), 400]]);
    // Looks after 1 to 8 s, of which those after 3 s and more count.
    const ofShortStep = seen(all, { secondsInStep: 0, stepSeconds: 4 });
    expect(ofShortStep.canary.histogram).to.deep.equal([[bucketOf(100_000), 300]]);
  });

  it("is nothing of who asked for either of them", () => {
    const asked = all.map((one) => ({ ...one, asked: true as const }));
    expect(seen(asked)).to.deep.equal(seen([]));
    expect(seen([...all, ...asked])).to.deep.equal(seen(all));
  });

  it("lets no time pass, nor go back, when the clock is set back", () => {
    const record = { ...newCanary("shop", 2, 3_600_000), secondsInStep: 30 };
    const later = withTraffic(record, [], { ...LOOK, now: 1000, isHeld: false, stepSeconds: 300 });
    expect([later.secondsInStep, later.lookedAt]).to.deep.equal([30, 1000]);
  });

  it("lets no time pass while no visitor is sent to it", () => {
    expect(seen([], { isHeld: true }).secondsInStep).to.equal(30);
  });

  /** In eight seconds, after the warm-up. */
  function seen(
    counted: readonly ReleaseTraffic[],
    { secondsInStep = 30, step = 0, isHeld = false, stepSeconds = 300 } = {},
  ): CanaryRecord {
    let record: CanaryRecord = { ...newCanary("shop", 2, 0), secondsInStep, step };
    for (const now of [1, 2, 3, 4, 5, 6, 7, 8].map((second) => second * 1000))
      record = withTraffic(record, counted, { ...LOOK, now, isHeld, stepSeconds });
    return record;
  }
});

function traffic({
  ms,
  ...one
}: Pick<ReleaseTraffic, "release" | "track" | "answersOk" | "answers5xx"> & {
  ms: number;
}): ReleaseTraffic {
  const requests = one.answersOk + one.answers5xx;
  return {
    ...noTraffic(),
    ...one,
    requests,
    visitors: requests,
    latencies: { [bucketOf(ms * 1000)]: requests },
  };
}
