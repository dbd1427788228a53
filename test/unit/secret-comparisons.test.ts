import { expect } from "chai";
import { Linter } from "eslint";
import { secretComparisons } from "../../eslint.secrets.js";

describe("the lint rule for comparisons of secrets", () => {
  const problems = (code: string): number =>
    new Linter().verify(code, { rules: { "no-restricted-syntax": ["error", ...secretComparisons] } }).length;

  for (const code of [
    "token === given",
    "given !== adminToken",
    "record.hash === hash",
    "headers.signature == expected",
    "expected != this.webhookSecret",
    "hmac.digest() === given",
    "hashToken(a) === b",
    "user.password !== other",
    "signature.equals(given)",
    "given.equals(this.digest)",
    "Buffer.compare(secret, given)",
  ])
    it(`refuses ${code}`, () => {
      expect(problems(code)).to.be.greaterThan(0);
    });

  for (const code of [
    "token === undefined",
    "undefined !== this.secret",
    'secret === ""',
    "token !== null",
    "sameSecret(token, adminToken)",
    "timingSafeEqual(digest, expected)",
    "tokens === 4",
    "name === given",
  ])
    it(`lets ${code} pass`, () => {
      expect(problems(code)).to.equal(0);
    });
});
