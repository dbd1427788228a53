import { expect } from "chai";
import fc from "fast-check";
import { parseLine } from "../../../../server/engines/log-files.js";

describe("a line of svlogd's", () => {
  it("is a time and a text", () => {
    expect(parseLine("2026-11-21_06:20:11.12345 listening on 3000")).to.deep.equal({
      at: "2026-11-21T06:20:11.123Z",
      text: "listening on 3000",
    });
    expect(parseLine("2026-11-21_06:20:11.12345 ").text).to.equal("");
  });

  it("keeps any text as it is, also one that looks like a time", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constant("2026-11-21_06:20:11.12345 again"),
      fc.constant("  a\r b\u2028"),
    );
    fc.assert(fc.property(text, (said) => parseLine(`2026-11-21_06:20:11.12345 ${said}`).text === said));
  });

  it("is all text when it has no time: part of a line that was too long", () => {
    expect(parseLine("rest of a line")).to.deep.equal({ at: "", text: "rest of a line" });
  });
});
