import { expect } from "chai";
import { z } from "zod";
import { isSigned, parseIfSigned, parseSigned, signRecord } from "../../../../core/redis/signed-record.js";
import { SecretBox } from "../../../../core/secrets.js";

const schema = z.object({ name: z.string(), uid: z.number() });

describe("a signed record", () => {
  const box = new SecretBox(Buffer.alloc(32, 1));
  const record = { name: 'a "quoted", name', uid: 200_000 };
  const text = signRecord(box, record, "shop of sluice:apps");
  const codeOf = (given: string, key = "shop of sluice:apps", by = box): unknown => {
    try {
      return parseSigned(by, schema, given, key);
    } catch (error) {
      return error instanceof Error && "code" in error ? error.code : error;
    }
  };

  it("is read as it was written", () => {
    expect(codeOf(text)).to.deep.equal(record);
    expect(isSigned(text)).to.equal(true);
    // Whoever reads it without a key finds JSON.
    expect(JSON.parse(text)).to.include(record);
  });

  it("is refused when anything of it was changed", () => {
    for (const forged of [
      JSON.stringify(record),
      text.replace("200000", "0"),
      text.replace(/"mac":"./, '"mac":"x'),
      text.replace('{"name"', '{"uid":0,"name"'),
      text.replace("}", ',"uid":0}'),
      text.replace(/,"mac".*/, "}"),
      `${text} `,
      "{}",
      "[]",
      "7",
    ])
      expect(codeOf(forged), forged).to.equal("record-forged");
  });

  it("is refused in another place, and under another key", () => {
    expect(codeOf(text, "blog of sluice:apps")).to.equal("record-forged");
    expect(codeOf(text, undefined, new SecretBox(Buffer.alloc(32, 2)))).to.equal("record-forged");
  });

  it("is damaged when it is no JSON at all, or not what is expected", () => {
    expect(codeOf('{"name')).to.equal("record-unreadable");
    const other = signRecord(box, { name: 7 }, "shop of sluice:apps");
    expect(codeOf(other)).to.equal("record-unreadable");
  });

  it("is left out among others when it is forged", () => {
    expect(parseIfSigned(box, schema, JSON.stringify(record), "x")).to.equal(undefined);
  });
});
