import { expect } from "chai";
import { nearestWord } from "../../../core/nearest-word.js";

const VERBS = ["up", "down", "status", "apps", "destroy", "logs", "tokens", "top", "releases"];

describe("the word that was meant", () => {
  it("is one slip away: a letter too many, too few, wrong, or swapped", () => {
    for (const [word, meant] of [
      ["statuss", "status"],
      ["statu", "status"],
      ["stetus", "status"],
      ["sttaus", "status"],
      ["log", "logs"],
      ["DOWN", "down"],
    ] as const)
      expect(nearestWord(word, VERBS)).to.equal(meant);
  });

  it("may be more slips away when it is long", () => {
    expect(nearestWord("realeses", VERBS)).to.equal("releases");
    expect(nearestWord("monthlimit", ["monthlyLimit"])).to.equal("monthlyLimit");
  });

  it("is nothing when nothing is near", () => {
    for (const word of ["deploy", "ps", "open", "stop", "start", "foo", "p", "", "nonsense"])
      expect(nearestWord(word, VERBS), word).to.equal(undefined);
  });
});
