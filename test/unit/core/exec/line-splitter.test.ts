import { expect } from "chai";
import fc from "fast-check";
import { LineSplitter, LONGEST_LINE_BYTES } from "../../../../core/exec/line-splitter.js";

function split(...chunks: (string | Buffer)[]): string[] {
  const splitter = new LineSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
}

describe("lines of what a program writes", () => {
  it("end at a line feed, a carriage return, or both", () => {
    expect(split("one\ntwo\r\n\r\nfour\rfive\n\nlast")).to.deep.equal([
      "one",
      "two",
      "",
      "four",
      "five",
      "",
      "last",
    ]);
  });

  it("are the same however the bytes come", () => {
    const text = fc.array(fc.constantFrom("\n", "\r", "\r\n", "a", "ä", "漢", "🙂"), { maxLength: 30 });
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 60 }), { maxLength: 8 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b)];
        const chunks = at.map((from, index) => bytes.subarray(from, at[index + 1] ?? bytes.length));
        expect(split(...chunks)).to.deep.equal(split(bytes));
      }),
    );
  });

  it("are cut at the limit at once, and the rest of them is thrown away", () => {
    const splitter = new LineSplitter();
    const megabyte = Buffer.alloc(1024 * 1024, "a");
    expect(splitter.push(megabyte)).to.deep.equal([`${"a".repeat(LONGEST_LINE_BYTES)}…`]);
    for (let more = 0; more < 100; more++) expect(splitter.push(megabyte)).to.deep.equal([]);
    expect(splitter.push(Buffer.from("end\nnext\n"))).to.deep.equal(["next"]);
  });

  it("are cut between two characters", () => {
    for (const character of ["ä", "漢", "🙂"]) {
      const [line = ""] = split(`x${character.repeat(LONGEST_LINE_BYTES)}`);
      expect(line).to.match(new RegExp(`^x(?:${character})+…$`, "u"));
      expect(Buffer.byteLength(line)).to.be.within(LONGEST_LINE_BYTES - 3, LONGEST_LINE_BYTES + 3);
    }
  });

  it("of exactly the limit are whole", () => {
    const whole = "b".repeat(LONGEST_LINE_BYTES);
    expect(split(`${whole}\n`, "c")).to.deep.equal([whole, "c"]);
  });
});
