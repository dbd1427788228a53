import { expect } from "chai";
import fc from "fast-check";
import { flagText, readFlag, type FlagValue } from "../../../../server/flags/flag.js";

describe("readFlag", () => {
  const valueOf = (text: string): FlagValue | undefined => {
    const flag = readFlag(text);
    return flag.kind === "value" ? flag.value : undefined;
  };
  const problemOf = (text: string): string => {
    const flag = readFlag(text);
    return flag.kind === "invalid" ? flag.problem : "";
  };

  it("reads switches, numbers and texts", () => {
    for (const text of ["1", "true", "on"]) expect(valueOf(text)).to.equal(true);
    for (const text of ["0", "false", "off"]) expect(valueOf(text)).to.equal(false);
    const numbers = ["2", "-1.5", "1e3", "10"].map(valueOf);
    expect(numbers).to.deep.equal([2, -1.5, 1000, 10]);
    for (const text of ["", "blue", "True", "01", "1e999", ".5", "0x10", "[1]", "null", '"1"', " 1"])
      expect(valueOf(text)).to.equal(text);
  });

  it("reads a value whose type is said", () => {
    expect(valueOf('{"value": 1}')).to.equal(1);
    expect(valueOf('{"value": "true"}')).to.equal("true");
    expect(valueOf('{"value": {"color": "red"}}')).to.deep.equal({ color: "red" });
  });

  it("reads rules, with true and false as their values unless others are said", () => {
    const outcomes = { value: true, otherwise: false };
    expect(readFlag('{"percentage": 20}')).to.deep.equal({
      kind: "rule",
      rule: { percentage: 20, ...outcomes },
    });
    expect(readFlag(' {"users": ["ann"]}')).to.deep.equal({
      kind: "rule",
      rule: { users: ["ann"], ...outcomes },
    });
    expect(readFlag('{"track": "canary", "value": "new", "otherwise": "old"}')).to.deep.equal({
      kind: "rule",
      rule: { track: "canary", value: "new", otherwise: "old" },
    });
  });

  it("says what is wrong with a rule, and never takes it for a text", () => {
    expect(problemOf('{"percentage": 120}')).to.match(/^percentage: .*100/);
    expect(problemOf('{"percentage": "20"}')).to.match(/^percentage: .*number/);
    expect(problemOf('{"users": "ann"}')).to.match(/^users: /);
    expect(problemOf('{"users": [""]}')).to.match(/^users\.0: /);
    expect(problemOf('{"track": "production"}')).to.match(/^track: .*canary/);
    expect(problemOf('{"percentage": 20, "users": ["ann"]}')).to.match(/"users"/);
    expect(problemOf('{"percentage": 20, "vlaue": true}')).to.match(/"vlaue"/);
    expect(problemOf('{"percentage": 20, "value": "new"}')).to.equal(
      "otherwise: must be of the same type as value",
    );
    expect(problemOf('{"value": null}')).to.match(/^value: /);
    expect(problemOf("{}")).to.match(/none of percentage, users, track and value/);
    expect(problemOf("{percentage: 20}")).to.match(/not a JSON object/);
    expect(problemOf('{"percentage": 20}]')).to.match(/not a JSON object/);
  });

  it("refuses what is nested so deeply that looking at it would end in a stack overflow", () => {
    const nested = (levels: number): string => `{"value":${'{"a":'.repeat(levels)}{}${"}".repeat(levels)}}`;
    expect(readFlag(nested(98)).kind).to.equal("value");
    for (const levels of [100, 2000, 200_000])
      expect(problemOf(nested(levels)), String(levels)).to.equal("it is nested deeper than 100 levels");
    expect(problemOf(`{"percentage": 1, "value": ${"[".repeat(9000)}${"]".repeat(9000)}}`)).to.match(
      /nested/,
    );
  });

  it("reads any text without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) =>
        ["value", "rule", "invalid"].includes(readFlag(text).kind),
      ),
    );
  });
});

describe("flagText", () => {
  it("gives a text that reads as the same value again", () => {
    const scalar = fc.oneof(
      fc.boolean(),
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
      fc.constantFrom("1", "true", "off", "42", "{", "{}", 1, 0),
    );
    fc.assert(
      fc.property(scalar, (value) => {
        expect(readFlag(flagText(value))).to.deep.equal({ kind: "value", value });
      }),
    );
  });

  it("stays as short as an admin would write it", () => {
    expect([true, "blue", 42, 1, "on", { percentage: 5 }].map(flagText)).to.deep.equal([
      "true",
      "blue",
      "42",
      '{"value":1}',
      '{"value":"on"}',
      '{"percentage":5}',
    ]);
  });
});
