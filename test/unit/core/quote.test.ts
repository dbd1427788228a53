import { expect } from "chai";
import fc from "fast-check";
import { execFileSync } from "node:child_process";
import { quote } from "../../../core/quote.js";

describe("quote", () => {
  it("makes one word of anything, as a real shell reads it", () => {
    const words = fc.array(
      fc.string().filter((word) => !word.includes("\0")),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(words, (list) => {
        const script = `printf '%s\\0' ${list.map(quote).join(" ")}`;
        const read = execFileSync("sh", ["-c", script]).toString("utf8").split("\0").slice(0, -1);
        expect(read).to.deep.equal(list.map((word) => Buffer.from(word).toString("utf8")));
      }),
      { numRuns: 100 },
    );
  });
});
