import { expect } from "chai";
import { bucketOf } from "../../../../../core/records/traffic/latency-buckets.js";
import { noTraffic } from "../../../../../core/records/traffic/traffic.js";
import type { ReleaseTraffic } from "../../../../../core/records/traffic/traffic-series.js";
import {
  canaryRecordSchema,
  newCanary,
  type CanaryRecord,
} from "../../../../../server/canary/canary-record.js";
import { withTraffic } from "../../../../../server/canary/judging/observe.js";
import { ERRORS, LATENCY } from "../../../../../server/canary/statistics/leveled-evidence.js";
import { windowedValue } from "../../../../../server/canary/statistics/windowed-evidence.js";

const LOOK = { against: "production", cursor: "1-0", isHeld: false, chance: 0.3, stepSeconds: 300 };
const LOOKS = 30;

describe("what is seen of a canary", () => {
  const canary = traffic({
    release: "v2",
    track: "canary",
    ...{ answersOk: 40, answers5xx: 10, ms: 100 },
    ...{ visitors: 6, visitorsWithErrors: 5, visitorsOverP90: 5, visitorsOverP99: 4 },
  });
  const production = traffic({
    release: "v1",
    track: "production",
    ...{ answersOk: 400, answers5xx: 0, ms: 10 },
    ...{ visitors: 14, visitorsOverP90: 1 },
  });
  const all = [canary, production];

  it("is what its visitors and production's did", () => {
    const record = seen(all);
    expect(record.canary).to.deep.include({
      requests: 50 * LOOKS,
      errors: 10 * LOOKS,
      visitors: 6 * LOOKS,
      visitorsWithErrors: 5 * LOOKS,
      visitorsOverP90: 5 * LOOKS,
      visitorsOverP99: 4 * LOOKS,
      histogram: [[bucketOf(100_000), 50 * LOOKS]],
    });
    expect(record.production).to.deep.include({ requests: 400 * LOOKS, errors: 0, visitors: 14 * LOOKS });
    expect(record.secondsInStep).to.equal(60 + LOOKS);
    expect(record.inStep).to.deep.equal({
      requests: { canary: 50 * LOOKS, production: 400 * LOOKS },
      visitors: { canary: 6 * LOOKS, production: 14 * LOOKS },
    });
  });

  it("speaks against a canary whose visitors are affected, by errors and by latency, though they sent few requests", () => {
    const record = seen(all);
    expect(errorsOf(record)).to.be.above(100);
    expect(latencyOf(record)).to.be.above(1);
    expect(errorsOf(seen([{ ...canary, answers5xx: 1 }, production]))).to.equal(errorsOf(record));
  });

  it("is one visitor, whether they met one error or three hundred", () => {
    const one = { ...canary, visitorsWithErrors: 1, visitorsOverP90: 0, visitorsOverP99: 0 };
    const [failing, quiet] = [
      { ...one, answers5xx: 300 },
      { ...one, visitorsWithErrors: 0, answers5xx: 300 },
    ];
    const first = look(record(), [failing, production], 1);
    expect(errorsOf(first)).to.equal(errorsOf(look(record(), [{ ...one, answers5xx: 1 }, production], 1)));
    expect(errorsOf(first)).to.be.at.most(2);
    let later = first;
    for (let second = 2; second <= 60; second++) later = look(later, [quiet, production], second);
    expect(errorsOf(later)).to.be.closeTo(errorsOf(first), 1e-9);
  });

  it("is compared only where chance has divided all visitors of the look", () => {
    const none = errorsOf(record());
    expect(errorsOf(seen(all, { isHeld: true }))).to.equal(none);
    for (const chance of [0, 1]) expect(errorsOf(seen(all, { chance }))).to.equal(none);
    const few = [canary, production].map((one) => ({ ...one, visitorsWithErrors: 3 }));
    const before = look(record(), few, 1, { chance: 0.05 });
    const changed = look(before, few, 2, { chance: 0.3 });
    expect(errorsOf(changed)).to.be.closeTo(errorsOf(before), 1e-9);
    expect(errorsOf(look(changed, few, 3, { chance: 0.3 }))).not.to.be.closeTo(errorsOf(before), 1e-3);
  });

  it("is no latency while its instances warm up, in the first minute, or half of a short step", () => {
    const early = seen(all, { secondsInStep: 0 });
    expect(early.canary).to.deep.include({ requests: 50 * LOOKS, errors: 10 * LOOKS, histogram: [] });
    expect(early.production.histogram).to.deep.equal([]);
    expect(errorsOf(early)).to.be.above(100);
    const nextStep = seen(all, { secondsInStep: 0, step: 1 });
    expect(nextStep.canary.histogram).to.deep.equal([[bucketOf(100_000), 50 * LOOKS]]);
    // The looks after 1 to 30 s, of which those after more than 20 s count.
    const shortStep = seen(all, { secondsInStep: 0, stepSeconds: 40 });
    expect(shortStep.canary.histogram).to.deep.equal([[bucketOf(100_000), 50 * 10]]);
  });

  it("is nothing of who asked for either of them", () => {
    const asked = all.map((one) => ({ ...one, asked: true as const }));
    expect(seen(asked)).to.deep.equal(seen([]));
    expect(seen([...all, ...asked])).to.deep.equal(seen(all));
  });

  it("is nothing of other releases and tracks", () => {
    const others = [
      { ...canary, release: "v3" },
      { ...production, track: "baseline" },
    ];
    expect(seen([...all, ...others])).to.deep.equal(seen(all));
  });

  it("lets no time pass, nor go back, when the clock is set back", () => {
    const before = { ...newCanary("shop", 2, 3_600_000), secondsInStep: 30 };
    const later = withTraffic(before, [], { ...LOOK, now: 1000 });
    expect([later.secondsInStep, later.lookedAt]).to.deep.equal([30, 1000]);
  });

  it("lets no time pass while no visitor is sent to it", () => {
    expect(seen([], { isHeld: true }).secondsInStep).to.equal(60);
  });

  it("goes on the same after it was saved", () => {
    const before = seen(all);
    // Redis keeps text.
    const saved = canaryRecordSchema.parse(JSON.parse(JSON.stringify(before)));
    expect(look(saved, all, LOOKS + 1)).to.deep.equal(look(before, all, LOOKS + 1));
  });
});

/** After so many looks, one a second, which begin after the warm-up. */
function seen(
  counted: readonly ReleaseTraffic[],
  { secondsInStep = 60, step = 0, ...others }: { secondsInStep?: number; step?: number } & Changes = {},
): CanaryRecord {
  let now: CanaryRecord = { ...record(), secondsInStep, step };
  for (let second = 1; second <= LOOKS; second++) now = look(now, counted, second, others);
  return now;
}

type Changes = Partial<Omit<typeof LOOK, "against" | "cursor">>;

function look(
  before: CanaryRecord,
  counted: readonly ReleaseTraffic[],
  second: number,
  changes: Changes = {},
): CanaryRecord {
  return withTraffic(before, counted, { ...LOOK, ...changes, now: second * 1000 });
}

function record(): CanaryRecord {
  return { ...newCanary("shop", 2, 0), secondsInStep: 60 };
}

function errorsOf({ errors }: CanaryRecord): number {
  return windowedValue(errors, ERRORS);
}

function latencyOf({ latency }: CanaryRecord): number {
  return windowedValue(latency, LATENCY);
}

function traffic({
  ms,
  ...one
}: Pick<ReleaseTraffic, "release" | "track" | "answersOk" | "answers5xx"> &
  Partial<ReleaseTraffic> & { ms: number }): ReleaseTraffic {
  const requests = one.answersOk + one.answers5xx;
  return { ...noTraffic(), requests, latencies: { [bucketOf(ms * 1000)]: requests }, ...one };
}
