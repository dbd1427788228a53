import { expect } from "chai";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { SecretBox, hashToken, makeSecret, sameSecret } from "../../../core/secrets.js";

describe("secrets", () => {
  const key = randomBytes(32);
  const box = new SecretBox(key);

  it("can be sealed and opened again, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        (text, context) => box.open(box.seal(text, context), context) === text,
      ),
    );
  });

  it("cannot be opened under another name, with another key, or when they were changed", () => {
    const sealed = box.seal("word", "config:a:X");
    expect(sealed).not.to.include("word");
    expect(() => box.open(sealed, "config:b:X")).to.throw();
    expect(() => new SecretBox(randomBytes(32)).open(sealed, "config:a:X")).to.throw();
    const last = sealed.endsWith("A=") ? "B=" : "A=";
    expect(() => box.open(sealed.slice(0, -2) + last, "config:a:X")).to.throw();
    expect(() => box.open("v0:x", "config:a:X")).to.throw("damaged");
  });

  it("cannot be opened with a seal that was cut short, which is easier to guess", () => {
    const [version, iv, tag = "", text] = box.seal("word", "x").split(":");
    const cut = Buffer.from(tag, "base64").subarray(0, 4).toString("base64");
    expect(() => box.open([version, iv, cut, text].join(":"), "x")).to.throw();
    expect(box.open([version, iv, tag, text].join(":"), "x")).to.equal("word");
  });

  it("are never sealed twice to the same text", () => {
    expect(box.seal("word", "x")).not.to.equal(box.seal("word", "x"));
  });

  it("are derived: the same for one context and key, and no other's", () => {
    const derived = box.derive("flags:a");
    expect(derived).to.match(/^[0-9a-f]{64}$/);
    expect(new SecretBox(key).derive("flags:a")).to.equal(derived);
    expect(box.derive("flags:b")).not.to.equal(derived);
    expect(new SecretBox(randomBytes(32)).derive("flags:a")).not.to.equal(derived);
  });

  it("are compared whatever their lengths; an empty one is never right", () => {
    const secret = makeSecret();
    expect([
      sameSecret(secret, secret),
      sameSecret(secret, `${secret}0`),
      sameSecret("", ""),
      sameSecret("a", ""),
      sameSecret("", "a"),
      sameSecret("žluť", "žluť"),
    ]).to.deep.equal([true, false, false, false, false, true]);
    expect(hashToken(secret))
      .to.match(/^[0-9a-f]{64}$/)
      .and.not.to.equal(secret);
  });
});
