import { expect } from "chai";
import { AppError } from "../../../../../core/errors/app-error.js";
import { newCanary, type CanaryRecord, type Decision } from "../../../../../server/canary/canary-record.js";
import { whyNotPromoted, withFailedPromotion } from "../../../../../server/canary/judging/promotion.js";
import { withDecision } from "../../../../../server/canary/judging/next-move.js";

const TABLE = { tracks: { production: 1, canary: 2 } };

describe("a canary's promotion by itself", () => {
  const error = new AppError("canary-none", { app: "shop" });
  const promoting: Decision = {
    ...{ at: new Date(0).toISOString(), word: "pass", action: "promote", reason: "as good" },
    ...{ share: 30, numbers: {} },
  };
  const passed = withDecision(newCanary("shop", 2, 0), promoting);

  it("is a hold that says why when it failed, on one line, beside the decision to promote", () => {
    const { verdict, decisions } = withFailedPromotion(passed, error, 5000);
    expect(verdict).to.include({ word: "hold", action: "none", at: new Date(5000).toISOString() });
    expect(verdict?.reason).to.include(error.message.split("\n")[0]).and.not.to.include("\n");
    expect(decisions).to.deep.equal([promoting, verdict]);
  });

  it("is tried again after a second when it failed, then after twice as long each time, up to a minute", () => {
    const pauses: number[] = [];
    let record: CanaryRecord = passed;
    for (let now = 0; pauses.length < 8; now = record.failedPromotion?.retryAt ?? 0) {
      record = withFailedPromotion(record, error, now);
      const { retryAt = 0, reason } = record.failedPromotion ?? {};
      pauses.push(retryAt - now);
      expect(whyNotPromoted(record, TABLE, retryAt - 1)).to.equal(reason);
      expect(whyNotPromoted(record, TABLE, retryAt)).to.equal(undefined);
    }
    expect(pauses).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000));
  });

  it("takes no production but the one beside which it began", () => {
    const why = (beside: number | null | undefined, tracks: Record<string, number>): string | undefined =>
      whyNotPromoted({ ...passed, beside }, { tracks }, 0);
    expect(why(1, TABLE.tracks)).to.equal(undefined);
    expect(why(null, { canary: 2 })).to.equal(undefined);
    expect(why(undefined, TABLE.tracks)).to.equal(undefined);
    expect(why(1, { production: 3, canary: 2 })).to.equal(
      "Production changed from v1 to v3 after this canary began, so Sluice does not promote it by itself. To promote it: sluice promote shop",
    );
    expect(why(null, TABLE.tracks)).to.match(/changed from none to v1 after this canary began/);
    expect(why(1, { canary: 2 })).to.match(/changed from v1 to none/);
  });
});
