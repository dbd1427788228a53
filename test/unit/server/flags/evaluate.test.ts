import { expect } from "chai";
import fc from "fast-check";
import { evaluate, type Evaluation, type EvaluationContext } from "../../../../server/flags/evaluate.js";
import { readFlag } from "../../../../server/flags/flag.js";

const USERS = 2000;

describe("evaluate", () => {
  const ask = (text: string, context: EvaluationContext = {}): Evaluation =>
    evaluate("checkout", readFlag(text), context);
  const isOn = (percentage: number, targetingKey: string, name = "checkout"): boolean => {
    const answer = evaluate(name, readFlag(JSON.stringify({ percentage })), { targetingKey });
    return "value" in answer && answer.value === true;
  };

  it("gives a plain value to everybody, whatever the context", () => {
    expect(ask("1")).to.deep.equal({ value: true, reason: "STATIC" });
    expect(ask("blue", { targetingKey: 5 })).to.deep.equal({ value: "blue", reason: "STATIC" });
  });

  it("gives the value to the users of a list, and the other to the rest", () => {
    const rule = '{"users": ["ann", "bob"], "value": 2, "otherwise": 3}';
    expect(ask(rule, { targetingKey: "bob" })).to.deep.equal({ value: 2, reason: "TARGETING_MATCH" });
    expect(ask(rule, { targetingKey: "Bob" })).to.deep.equal({ value: 3, reason: "DEFAULT" });
  });

  it("gives the value to the canary, and the other to any other track or none", () => {
    const rule = '{"track": "canary"}';
    expect(ask(rule, { track: "canary" })).to.deep.equal({ value: true, reason: "TARGETING_MATCH" });
    for (const context of [{ track: "production" }, {}])
      expect(ask(rule, context)).to.deep.equal({ value: false, reason: "DEFAULT" });
  });

  it("tells what is missing or wrong in the context, and a rule that cannot be read", () => {
    const codeOf = (answer: Evaluation): string => ("errorCode" in answer ? answer.errorCode : "");
    for (const rule of ['{"percentage": 50}', '{"users": ["ann"]}']) {
      expect(codeOf(ask(rule))).to.equal("TARGETING_KEY_MISSING");
      expect(codeOf(ask(rule, { targetingKey: "" }))).to.equal("TARGETING_KEY_MISSING");
      expect(codeOf(ask(rule, { targetingKey: 7 }))).to.equal("INVALID_CONTEXT");
    }
    expect(codeOf(ask('{"track": "canary"}', { track: 7 }))).to.equal("INVALID_CONTEXT");
    expect(codeOf(ask('{"percentage": 500}', { targetingKey: "ann" }))).to.equal("PARSE_ERROR");
  });

  it("gives the same user the same value each time, by a split", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (user, percentage) => {
          const rule = JSON.stringify({ percentage });
          const [first, second] = [ask(rule, { targetingKey: user }), ask(rule, { targetingKey: user })];
          expect(first).to.deep.equal(second).and.to.include({ reason: "SPLIT" });
        },
      ),
    );
  });

  it("takes the value from nobody when the percentage grows", () => {
    const percentage = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), percentage, percentage, (user, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(isOn(less, user) && !isOn(more, user)).to.equal(false);
      }),
    );
  });

  it("means nobody at 0 and everybody at 100", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (user) => {
        expect([isOn(0, user), isOn(100, user)]).to.deep.equal([false, true]);
      }),
    );
  });

  it("means the share of the users that it says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.string(), (percentage, prefix) => {
        const users = Array.from({ length: USERS }, (_, index) => `${prefix}${index}`);
        const share = users.filter((user) => isOn(percentage, user)).length / USERS;
        const deviation = Math.sqrt(((percentage / 100) * (1 - percentage / 100)) / USERS);
        // Six standard deviations: one run in a thousand million is outside by chance.
        expect(share).to.be.closeTo(percentage / 100, 6 * deviation + 1e-9);
      }),
      { numRuns: 30 },
    );
  });

  it("splits the users of one flag apart from those of another", () => {
    const users = Array.from({ length: USERS }, (_, index) => `user-${index}`);
    const both = users.filter((user) => isOn(50, user, "one") && isOn(50, user, "two"));
    expect(both.length / USERS).to.be.within(0.2, 0.3);
  });
});
