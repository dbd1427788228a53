import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { AppError } from "../../core/errors/app-error.js";
import type { Certificate } from "../../core/records/certificates/certificate.js";

/** HAProxy takes so much in one command of its runtime API (`tune.bufsize`, 16 KiB). */
const MOST_BYTES = 15_000;
const MOST_NAMES = 100;
const LEAST_RSA_BITS = 2048;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;
/** What browsers accept (CA/Browser Forum, Baseline Requirements 6.1.5). */
const CURVES = new Set(["prime256v1", "secp384r1", "secp521r1"]);

export interface ParsedCertificate {
  readonly certificate: Pick<Certificate, "id" | "names" | "issuer" | "notBefore" | "notAfter" | "pem">;
  /** What is no error, and people should know. */
  readonly warnings: readonly string[];
}

/**
 * Checks a certificate and its key, as PEM in any order, and puts them in the order that servers need: the certificate, those
 * that lead to a root, the key. Throws `certificate-invalid` with what is wrong.
 */
export function parseCertificate(certificateText: string, keyText: string, now: number): ParsedCertificate {
  const blocks = [...`${certificateText}\n${keyText}`.matchAll(BLOCK)].map(([text, label = ""]) => ({
    text,
    label,
  }));
  const key = onlyKey(blocks.filter(({ label }) => label.endsWith("PRIVATE KEY")));
  const all = blocks.filter(({ label }) => label === "CERTIFICATE").map(({ text }) => certificateOf(text));
  if (all.length === 0) throw invalid("there is no certificate (BEGIN CERTIFICATE) in it");
  const leaf = all.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) throw invalid("the key belongs to none of the certificates");
  checkKey(key);
  const [notBefore, notAfter] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (notAfter <= now) throw invalid(`it has expired: it was valid until ${dateOf(notAfter)}`);
  if (notBefore > now) throw invalid(`it is not valid before ${dateOf(notBefore)}`);
  const names = namesOf(leaf);
  if (names.length === 0) throw invalid("it is for no name (subjectAltName)");
  if (names.length > MOST_NAMES) throw invalid(`it is for ${names.length} names; at most ${MOST_NAMES}`);
  const { chain, unused } = chainOf(leaf, all);
  const pem = [leaf, ...chain].map(String).join("") + key.export({ type: "pkcs8", format: "pem" }).toString();
  if (pem.length > MOST_BYTES)
    throw invalid(`it has ${pem.length} bytes with its chain; at most ${MOST_BYTES}`);
  const id = leaf.fingerprint256.replaceAll(":", "").toLowerCase().slice(0, 32);
  const issuer = shortName(leaf.issuer);
  return {
    certificate: { id, names, issuer, notBefore, notAfter, pem },
    warnings: warningsOf(leaf, chain, unused),
  };
}

/** Names and IP addresses, in lower case (RFC 5280, 4.2.1.6). */
export function namesOf(certificate: X509Certificate): string[] {
  const entries = (certificate.subjectAltName ?? "").split(", ");
  const names = entries.flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

function onlyKey(blocks: readonly { readonly text: string; readonly label: string }[]): KeyObject {
  const [block, another] = blocks;
  if (block === undefined) throw invalid("there is no private key (BEGIN PRIVATE KEY) in it");
  if (another !== undefined) throw invalid("there is more than one private key in it");
  if (block.label.startsWith("ENCRYPTED") || block.text.includes("ENCRYPTED"))
    throw invalid("the key has a passphrase; remove it with: openssl pkey -in KEY -out PLAIN");
  try {
    return createPrivateKey(block.text);
  } catch (error) {
    throw invalid(`the key cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function certificateOf(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid(`one of the certificates cannot be read: ${reason}`);
  }
}

function checkKey({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): void {
  if (type === "rsa") {
    const bits = details.modulusLength ?? 0;
    if (bits < LEAST_RSA_BITS)
      throw invalid(`its RSA key has ${bits} bits; browsers ask for ${LEAST_RSA_BITS}`);
  } else if (type !== "ec" || !CURVES.has(details.namedCurve ?? ""))
    throw invalid(`browsers take no key of the kind ${details.namedCurve ?? type ?? "unknown"}`);
}

/** From the certificate to the last one that is there, without a root: who trusts it has it. */
function chainOf(
  leaf: X509Certificate,
  all: readonly X509Certificate[],
): { readonly chain: readonly X509Certificate[]; readonly unused: readonly X509Certificate[] } {
  const chain: X509Certificate[] = [];
  let last = leaf;
  for (;;) {
    const below = last;
    const next = all.find(
      (other) =>
        other !== leaf &&
        !chain.includes(other) &&
        below.checkIssued(other) &&
        below.verify(other.publicKey) &&
        !isRoot(other),
    );
    if (next === undefined) break;
    chain.push(next);
    last = next;
  }
  const unused = all.filter((other) => other !== leaf && !chain.includes(other) && !isRoot(other));
  return { chain, unused };
}

function isRoot(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer;
}

function warningsOf(
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  unused: readonly X509Certificate[],
): string[] {
  return [
    ...(isRoot(leaf) ? ["it is self-signed: browsers will warn their users"] : []),
    ...(!isRoot(leaf) && chain.length === 0
      ? [
          `the certificate of ${shortName(leaf.issuer)}, which issued it, is not in the file: some clients need it`,
        ]
      : []),
    ...unused.map((other) => `${shortName(other.subject)} is no part of its chain, and was left out`),
  ];
}

/** `CN=R11\nO=Example` → `R11` */
function shortName(name: string): string {
  const fields = new Map(name.split("\n").map((line) => line.split(/=(.*)/s) as [string, string]));
  return fields.get("CN") ?? fields.get("O") ?? name.replaceAll("\n", ", ");
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function invalid(problem: string): AppError {
  return new AppError("certificate-invalid", { problem });
}
