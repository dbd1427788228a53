import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Incoming } from "../forge.js";
import { headerOf } from "../reading/header.js";
import { secretProblem } from "./secret-problem.js";

const ID = "webhook-id";
const TIMESTAMP = "webhook-timestamp";
const SIGNATURE = "webhook-signature";
const TOLERANCE_SECONDS = 5 * 60;
const SECRET_PREFIX = "whsec_";
/** 32 bytes, padding and all. */
const BASE64_CHARACTERS = 44;

export function hasStandardSignature(headers: IncomingHttpHeaders): boolean {
  return headerOf(headers, SIGNATURE) !== undefined;
}

/**
 * The symmetric signature of Standard Webhooks (standardwebhooks.com, specification 1.0): HMAC-SHA256 over
 * `id.timestamp.body`, `v1,BASE64`, several with blanks between while a secret is being changed; one that matches
 * is enough, other versions are passed over. Undefined when it holds; else why not.
 */
export function standardRefusal(
  { headers, body }: Incoming,
  secret: string,
  now: number,
): string | undefined {
  const problem = secretProblem(secret);
  if (problem !== undefined) return problem;
  const keys = keysOf(secret);
  if (keys.length === 0) return `the app's webhook secret has no base64 after ${SECRET_PREFIX}`;
  const [id, timestamp, signature] = [ID, TIMESTAMP, SIGNATURE].map((name) => headerOf(headers, name));
  const unfit = idProblem(id) ?? timestampProblem(timestamp, now) ?? signatureProblem(signature);
  if (unfit !== undefined) return unfit;
  const given = signaturesIn(signature);
  const matches = keys.some((key) => {
    const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
    const expected = Buffer.from(hmac.digest("base64"));
    return given.filter((text) => timingSafeEqual(Buffer.from(text), expected)).length > 0;
  });
  return matches ? undefined : `${SIGNATURE} does not match: the secret differs, or the body was changed`;
}

/**
 * A secret with the prefix is a key in base64. One without it is taken both as it stands and, where it is base64, as
 * the specification's libraries take it.
 */
function keysOf(secret: string): Buffer[] {
  const isPrefixed = secret.startsWith(SECRET_PREFIX);
  const text = isPrefixed ? secret.slice(SECRET_PREFIX.length) : secret;
  const decoded = Buffer.from(text, "base64");
  const isBase64 = text !== "" && decoded.toString("base64") === text;
  return [...(isPrefixed ? [] : [Buffer.from(text)]), ...(isBase64 ? [decoded] : [])];
}

function idProblem(id: string | undefined): string | undefined {
  if (id === undefined || id === "") return `${ID} is missing`;
  return /^[!-~]{1,200}$/.test(id)
    ? undefined
    : `${ID} appears more than once, contains spaces, or is too long`;
}

function timestampProblem(timestamp: string | undefined, now: number): string | undefined {
  if (timestamp === undefined || timestamp === "") return `${TIMESTAMP} is missing`;
  if (!/^\d{1,12}$/.test(timestamp)) return `${TIMESTAMP} must be one number of seconds`;
  const lateSeconds = Math.floor(now / 1000) - Number(timestamp);
  if (Math.abs(lateSeconds) <= TOLERANCE_SECONDS) return undefined;
  const [seconds, side] = [Math.abs(lateSeconds), lateSeconds > 0 ? "old" : "ahead"];
  return `${TIMESTAMP} is ${seconds} s ${side}, more than ${TOLERANCE_SECONDS} s: the delivery was sent again, or a clock is wrong`;
}

function signatureProblem(signature: string | undefined): string | undefined {
  if (signature === undefined || signature === "") return `${SIGNATURE} is missing`;
  if (signature.includes(", ")) return `${SIGNATURE} appears more than once`;
  const entries = signaturesIn(signature);
  if (entries.length === 0) return `${SIGNATURE} has no signature of version v1`;
  const isUnfit = entries.some(
    (entry) => entry.length !== BASE64_CHARACTERS || !/^[A-Za-z0-9+/]+=$/.test(entry),
  );
  return isUnfit
    ? `${SIGNATURE} has a v1 signature that is not ${BASE64_CHARACTERS} base64 characters`
    : undefined;
}

function signaturesIn(signature = ""): string[] {
  return signature
    .split(" ")
    .filter((entry) => entry.startsWith("v1,"))
    .map((entry) => entry.slice("v1,".length));
}
