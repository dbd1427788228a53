import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { headerOf } from "../reading/header.js";
import { secretProblem } from "./secret-problem.js";

/** An HMAC-SHA256 in hexadecimal digits. */
export interface HexProof {
  /** As the host's manual writes it. */
  readonly header: string;
  /** What stands before the digits. */
  readonly prefix: "sha256=" | "";
  /** What was signed; the raw body at most hosts. */
  readonly signed: Buffer | string;
}

const DIGITS = 64;

/** Undefined when the proof holds; else why not. No other algorithm is accepted, and no other way of writing it. */
export function hmacRefusal(
  headers: IncomingHttpHeaders,
  { header, prefix, signed }: HexProof,
  secret: string,
): string | undefined {
  const problem = secretProblem(secret);
  if (problem !== undefined) return problem;
  const value = headerOf(headers, header);
  if (value === undefined) return `${header} is missing`;
  if (value === "" || value === prefix) return `${header} is empty: the forge has no secret`;
  if (value.includes(",")) return `${header} appears more than once`;
  const [algorithm = ""] = /^[a-z0-9-]{1,12}=/i.exec(value) ?? [];
  if (algorithm !== prefix)
    return `${header} begins with "${algorithm}", not with "${prefix}": it is not accepted`;
  const digits = value.slice(prefix.length);
  if (digits.length !== DIGITS) return `${header} has ${digits.length} digits, not ${DIGITS}`;
  if (!/^[0-9a-f]+$/.test(digits)) return `${header} must have only lower-case hexadecimal digits`;
  const expected = createHmac("sha256", secret).update(signed).digest();
  if (timingSafeEqual(Buffer.from(digits, "hex"), expected)) return undefined;
  return `${header} does not match: the secret differs, or the body was changed`;
}
