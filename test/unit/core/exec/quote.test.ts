import { expect } from "chai";
import fc from "fast-check";
import { execFileSync } from "node:child_process";
import { quote } from "../../../../core/exec/quote.js";

describe("quote", () => {
  it("makes one word of anything, as a real shell reads it", () => {
    const words = fc.array(
      fc.string({ unit: "binary" }).filter((word) => !word.includes("\0")),
      { minLength: 1, maxLength: 100 },
    );
    fc.assert(
      fc.property(words, (list) => {
        const script = `printf '%s\\0' ${list.map(quote).join(" ")}`;
        const read = execFileSync("sh", ["-c", script]).toString("utf8").split("\0").slice(0, -1);
        expect(read).to.deep.equal(list);
      }),
      { numRuns: 30 },
    );
  });

  it("leaves alone what is a word already, and never makes an option or nothing of one", () => {
    expect(quote("/usr/bin/node-20_x")).to.equal("/usr/bin/node-20_x");
    expect(quote("")).to.equal("''");
    expect(quote("~")).to.equal("'~'");
    expect(quote("a\nb")).to.equal("'a\nb'");
  });
});
