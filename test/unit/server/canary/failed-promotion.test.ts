import { expect } from "chai";
import { AppError } from "../../../../core/app-error.js";
import { newCanary, type CanaryRecord, type Decision } from "../../../../server/canary/canary-record.js";
import { whyNotPromoted, withFailedPromotion } from "../../../../server/canary/failed-promotion.js";
import { withDecision } from "../../../../server/canary/next-move.js";

describe("a canary's promotion that failed", () => {
  const error = new AppError("canary-none", { app: "shop" });
  const promoting: Decision = {
    ...{ at: new Date(0).toISOString(), word: "pass", action: "promote", reason: "as good" },
    ...{ share: 30, numbers: {} },
  };
  const passed = withDecision(newCanary("shop", 2, 0), promoting);

  it("is a hold that says why, on one line, beside the decision to promote", () => {
    const { verdict, decisions } = withFailedPromotion(passed, error, 5000);
    expect(verdict).to.include({ word: "hold", action: "none", at: new Date(5000).toISOString() });
    expect(verdict?.reason).to.include(error.message.split("\n")[0]).and.not.to.include("\n");
    expect(decisions).to.deep.equal([promoting, verdict]);
  });

  it("is tried again after a second, then after twice as long each time, up to a minute", () => {
    const pauses: number[] = [];
    let record: CanaryRecord = passed;
    for (let now = 0; pauses.length < 8; now = record.failedPromotion?.retryAt ?? 0) {
      record = withFailedPromotion(record, error, now);
      const { retryAt = 0, reason } = record.failedPromotion ?? {};
      pauses.push(retryAt - now);
      expect(whyNotPromoted(record, retryAt - 1)).to.equal(reason);
      expect(whyNotPromoted(record, retryAt)).to.equal(undefined);
    }
    expect(pauses).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000));
  });

  it("never was, of one that nobody tried to promote", () => {
    expect(whyNotPromoted(passed, 0)).to.equal(undefined);
  });
});
