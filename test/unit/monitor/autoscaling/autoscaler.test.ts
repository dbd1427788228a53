import { expect } from "chai";
import fc from "fast-check";
import { decide, TOLERANCE, windowMsOf, type ScaleView } from "../../../../monitor/autoscaling/autoscaler.js";

const SETTINGS = { min: 1, max: 8, cpuTarget: 60, cooldownSeconds: 120 };
const NOW = 1_000_000;

/** Two instances that have what they want, for an hour. */
const view = (more: Partial<ScaleView> = {}): ScaleView => ({
  now: NOW,
  instances: 2,
  settings: SETTINGS,
  load: 120,
  peak: 120,
  changedAt: NOW - 3_600_000,
  calmCooldowns: 1,
  effort: undefined,
  hold: undefined,
  askedAt: undefined,
  isReleasing: false,
  alert: undefined,
  cpus: 16,
  ...more,
});

/** Two that use as much CPU each as one did, for no more answers; an increase is tried again in four minutes. */
const STUCK = view({
  load: 160,
  effort: { instances: 2, used: 160, answers: 1000 },
  hold: { before: { instances: 1, used: 80, answers: 1000 }, retryAt: NOW + 240_000, isTrial: false },
});

const views = fc
  .record({
    instances: fc.integer({ min: 0, max: 12 }),
    bounds: fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 8 })),
    cpuTarget: fc.integer({ min: 5, max: 95 }),
    load: fc.option(fc.double({ min: 0, max: 1600, noNaN: true }), { nil: undefined }),
    peak: fc.option(fc.double({ min: 0, max: 1600, noNaN: true }), { nil: undefined }),
    waitedMs: fc.integer({ min: 0, max: 300_000 }),
    isReleasing: fc.boolean(),
    alert: fc.option(fc.constant("the proxy is busy"), { nil: undefined }),
    cpus: fc.double({ min: 0.5, max: 16, noNaN: true }),
  })
  .map(({ bounds: [min, more], cpuTarget, waitedMs, ...rest }) =>
    view({
      ...rest,
      settings: { ...SETTINGS, min, max: min + more, cpuTarget },
      changedAt: NOW - waitedMs,
    }),
  );

const wanted = (of: ScaleView): number => {
  const verdict = decide(of);
  return verdict.kind === "scale" ? verdict.to : of.instances;
};

describe("the autoscaler", () => {
  it("goes for so many that each takes its target, at most twice as many at once", () => {
    expect(decide(view({ load: 190 }))).to.deep.equal({
      kind: "scale",
      to: 4,
      reason: "each of 2 uses 95 % CPU, target 60 %",
    });
    expect(wanted(view({ load: 140 }))).to.equal(3);
    expect(wanted(view({ load: 400, instances: 4 }))).to.equal(7);
    expect(wanted(view({ load: 800, instances: 2 }))).to.equal(4);
  });

  it("removes instances that were not needed for the whole time, at most half of them at once", () => {
    expect(decide(view({ load: 40, peak: 50 }))).to.deep.equal({
      kind: "scale",
      to: 1,
      reason: "for 120 s, 1 would each have used at most 50 % CPU, target 60 %",
    });
    expect(wanted(view({ load: 40, peak: 55 }))).to.equal(2);
    expect(wanted(view({ load: 0, peak: 0, instances: 7 }))).to.equal(4);
    expect(wanted(view({ load: 0, peak: 250, instances: 7 }))).to.equal(5);
    expect(wanted(view({ load: 0, peak: 0, instances: 3, settings: { ...SETTINGS, min: 3 } }))).to.equal(3);
    expect(wanted(view({ load: 0, peak: undefined }))).to.equal(2);
    expect(wanted(view({ load: 0, peak: 0, changedAt: NOW - 119_000 }))).to.equal(2);
    expect(wanted(view({ load: 0, peak: 0, alert: "busy" }))).to.equal(3);
  });

  it("waits until a whole window shows what a change has done", () => {
    const windowMs = windowMsOf(SETTINGS);
    expect(wanted(view({ load: 200, changedAt: NOW - windowMs + 1 }))).to.equal(2);
    expect(wanted(view({ load: 200, changedAt: NOW - windowMs }))).to.equal(4);
  });

  it("does nothing while a release is in progress, or a change was requested", () => {
    expect(decide(view({ load: 200, isReleasing: true })).reason).to.equal("a release is in progress");
    expect(wanted(view({ load: 200, askedAt: NOW - 5000 }))).to.equal(2);
    expect(wanted(view({ load: 200, askedAt: NOW - 120_000 }))).to.equal(4);
  });

  it("adds one for an alert, once in each cooldown, whatever the CPU says", () => {
    const alert = "proxy-cpu on h: 70";
    expect(decide(view({ load: 60, alert }))).to.deep.include({ to: 3, reason: `alert: ${alert}` });
    expect(wanted(view({ load: 60, alert, changedAt: NOW - 100_000 }))).to.equal(2);
    expect(wanted(view({ load: 60, alert, instances: 8 }))).to.equal(8);
  });

  it("adds no more when the last increase did not help, unless an alert asks for it", () => {
    expect(decide(STUCK)).to.deep.equal({
      kind: "futile",
      wanted: 3,
      reason:
        "each of 2 uses 80 % CPU, target 60 %; more instances did not lower the load: each of 1 used 80 %, and an answer took less CPU; tried again in 4 min",
    });
    expect(decide({ ...STUCK, effort: { instances: 2, used: 160, answers: 2000 } }).kind).to.equal("scale");
    expect(decide({ ...STUCK, alert: "busy" }).kind).to.equal("scale");
  });

  it("tries more again when the pause is over, also when there are as few as before", () => {
    const asFew = { ...STUCK, instances: 1, load: 80, effort: { instances: 1, used: 80, answers: 1000 } };
    for (const held of [STUCK, asFew]) {
      expect(decide({ ...held, now: NOW + 239_000 }).kind).to.equal("futile");
      expect(wanted({ ...held, now: NOW + 240_000 })).to.be.above(held.instances);
    }
  });

  it("takes a try back that did not help, a cooldown after it, even at max", () => {
    const hold = STUCK.hold && { ...STUCK.hold, isTrial: true };
    const trial = { ...STUCK, hold, changedAt: NOW - 120_000 };
    for (const max of [2, 8])
      expect(decide({ ...trial, settings: { ...SETTINGS, max } })).to.deep.equal({
        kind: "scale",
        to: 1,
        reason:
          "more instances did not lower the load: each of 1 used 80 %, and an answer took less CPU; tried again in 4 min",
      });
    expect(decide({ ...trial, changedAt: NOW - 119_000 }).kind).to.equal("futile");
    expect(decide({ ...trial, effort: { instances: 2, used: 160, answers: 2000 } })).to.deep.include({
      to: 3,
    });
    expect(decide({ ...trial, alert: "busy" })).to.deep.include({ to: 3 });
    expect(decide({ ...STUCK, changedAt: NOW - 120_000 }).kind).to.equal("futile");
  });

  it("waits longer before one goes where they were taken away too early", () => {
    const calm = view({ load: 40, peak: 40, calmCooldowns: 4 });
    expect(wanted({ ...calm, changedAt: NOW - 479_000 })).to.equal(2);
    expect(wanted({ ...calm, changedAt: NOW - 480_000 })).to.equal(1);
  });

  it("wants machines where every processor has its instance", () => {
    expect(wanted(view({ load: 190, cpus: 3.5 }))).to.equal(3);
    expect(decide(view({ load: 190, cpus: 2 }))).to.deep.equal({
      kind: "machines",
      wanted: 4,
      reason: "each of 2 uses 95 % CPU, target 60 %; 2 instances already use all 2 processors",
    });
  });

  it("stays within min and max, and goes there when it is not", () => {
    fc.assert(
      fc.property(views, (any) => {
        const verdict = decide(any);
        const { min, max } = any.settings;
        if (verdict.kind === "scale") expect(verdict.to).to.be.within(min, max);
        if (verdict.kind === "machines") expect(verdict.wanted).to.be.within(min, max);
        if (any.isReleasing) expect(verdict.kind).to.equal("stay");
        else if (any.instances < min) expect(wanted(any)).to.equal(min);
        else if (any.instances > max) expect(wanted(any)).to.equal(max);
      }),
    );
  });

  it("never moves within the tolerance around the target", () => {
    const near = fc.double({ min: 1 - TOLERANCE, max: 1 + TOLERANCE, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), near, (instances, share) => {
        const load = instances * SETTINGS.cpuTarget * share;
        expect(decide(view({ instances, load, peak: load })).kind).to.equal("stay");
      }),
    );
  });

  it("wants no fewer for more load", () => {
    const loads = fc.tuple(
      fc.double({ min: 0, max: 1600, noNaN: true }),
      fc.double({ min: 0, max: 1600, noNaN: true }),
    );
    fc.assert(
      fc.property(views, loads, (any, [a, b]) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(wanted({ ...any, load: more, peak: more })).to.be.at.least(
          wanted({ ...any, load: less, peak: less }),
        );
      }),
    );
  });

  it("comes to rest under a steady load: it never goes back on a step", () => {
    fc.assert(
      fc.property(views, fc.double({ min: 0, max: 1600, noNaN: true }), (any, load) => {
        const steady = { ...any, load, peak: load, alert: undefined, isReleasing: false };
        const calm = { ...steady, changedAt: NOW - 3_600_000 };
        const steps = [calm.instances];
        for (let look = 0; look < 20; look++) steps.push(wanted({ ...calm, instances: steps.at(-1) ?? 0 }));
        const directions = steps.slice(1).map((to, index) => Math.sign(to - (steps[index] ?? 0)));
        const moves = directions.filter((direction) => direction !== 0);
        // The first may bring it within bounds.
        expect(new Set(moves.slice(1)).size).to.be.at.most(1);
        expect(directions.at(-1)).to.equal(0);
      }),
    );
  });
});
