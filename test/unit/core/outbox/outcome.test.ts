import { expect } from "chai";
import fc from "fast-check";
import { DeliveryError } from "../../../../core/outbox/delivery-error.js";
import type { OutboxJob } from "../../../../core/outbox/outbox-job.js";
import { outcomeOfFailure } from "../../../../core/outbox/outcome.js";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-01-01T00:00:00Z");

describe("a failed try", () => {
  it("leads to another one, which knows of it", () => {
    expect(outcomeOfFailure(job(), new Error("no route"), NOW, 0.5)).to.deep.equal({
      kind: "again",
      job: { ...job(), attempts: 1, dueAt: NOW + 1000, lastError: "no route" },
    });
  });

  it("waits as long as the receiver asked for, if that is longer, and keeps its lane closed", () => {
    const error = new DeliveryError("busy", { retryAfterMs: 60_000 });
    const next = outcomeOfFailure(job(), error, NOW, 0.5);
    expect(next).to.deep.include({ laneClosedUntil: NOW + 60_000 });
    expect(next.kind === "again" && next.job.dueAt).to.equal(NOW + 60_000);
    const later = outcomeOfFailure({ ...job(), attempts: 5 }, error, NOW, 0.5);
    expect(later.kind === "again" && later.job.dueAt).to.equal(NOW + 3_600_000);
  });

  it("is the last when it is final, whatever the time", () => {
    const error = new DeliveryError("gone", { isFinal: true });
    expect(outcomeOfFailure(job(), error, NOW, 0.5)).to.deep.equal({
      kind: "given-up",
      at: NOW,
      reason: "gone",
    });
  });

  it("is the last when the next would be more than a day after the first", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: DAY_MS }),
        fc.option(fc.integer({ min: 0, max: DAY_MS })),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempts, ageMs, retryAfterMs, random) => {
          const error = retryAfterMs === null ? new Error("x") : new DeliveryError("x", { retryAfterMs });
          const outcome = outcomeOfFailure({ ...job(), attempts }, error, NOW + ageMs, random);
          if (outcome.kind === "again") expect(outcome.job.dueAt).to.be.within(NOW + ageMs, NOW + DAY_MS);
          else expect(ageMs + Math.max(1.2 * 3_600_000, retryAfterMs ?? 0)).to.be.above(DAY_MS);
        },
      ),
    );
  });

  it("keeps the reason short", () => {
    const outcome = outcomeOfFailure(job(), new Error("x".repeat(10_000)), NOW, 0.5);
    expect(outcome.kind === "again" && outcome.job.lastError).to.have.length(500);
  });
});

function job(): OutboxJob {
  return {
    v: 1,
    id: "1",
    kind: "letter",
    lane: "host",
    payload: {},
    firstAt: NOW,
    attempts: 0,
    dueAt: NOW,
  };
}
