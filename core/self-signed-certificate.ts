import { webcrypto } from "node:crypto";

const YEARS = 20;
const YEAR_MS = 365 * 86_400_000;

/** PEM. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

/** For who connects before there is another certificate: whoever looks reads `commonName`. */
export async function selfSignedCertificate(commonName: string): Promise<SelfSigned> {
  // Needed once in a state folder's life.
  const { X509CertificateGenerator } = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${commonName}`,
      notBefore: new Date(),
      notAfter: new Date(Date.now() + YEARS * YEAR_MS),
      signingAlgorithm: algorithm,
      keys,
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = key.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
  };
}
