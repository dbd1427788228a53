import { expect } from "chai";
import { printable } from "../../../core/printable.js";

describe("a line fit for a terminal", () => {
  for (const [what, line, shown] of [
    ["text and tabs", "12 tests\tpassed, ünïcode ✓", "12 tests\tpassed, ünïcode ✓"],
    ["colours, in this line alone", "\u001b[1;31mred", "\u001b[1;31mred\u001b[0m"],
  ] as const)
    it(`keeps ${what}`, () => expect(printable(line)).to.equal(shown));

  for (const [what, line] of [
    ["a move of the cursor", "a\u001b[1A\u001b[2Kb"],
    ["a window's title", "a\u001b]0;owned\u0007b"],
    ["a string that ends otherwise", "a\u001b]52;c;cm0gLXJm\u001b\\b"],
    ["a device's string", 'a\u001bP$q"p\u001b\\b'],
    ["a two-byte sequence", "a\u001bcb"],
    ["a choice of characters", "a\u001b(0b"],
    ["an 8-bit sequence's beginning", "a\u009bb"],
    ["returns, bells, backspaces", "a\r\u0007\b\u007f\nb"],
    ["a sequence within a sequence", "a\u001b\u001b[2J[2Jb".replace("[2Jb", "b")],
  ] as const)
    it(`loses ${what}`, () => expect(printable(line)).to.equal("ab"));

  it("has no escape left but of colours, whatever is put together by what is removed", () => {
    for (const line of [
      "\u001b\u001b[2J[2J",
      "\u001b\u0007[2J",
      "\u001b\u001b[1m[2J",
      "\u001b]\u001b[1mx\u0007",
      "\u001b",
    ])
      // eslint-disable-next-line no-control-regex -- these are meant
      expect(printable(line).replace(/\u001b\[[\d;:]*m/g, ""), JSON.stringify(line)).not.to.match(/\u001b/);
  });
});
