import { X509CertificateGenerator } from "@peculiar/x509";
import { createHash, webcrypto } from "node:crypto";
import { Certificates } from "../../core/records/certificates/certificates.js";
import { Home } from "../../core/home.js";
import { certificateBox, certificateSecret, openSecretBox } from "../../core/secrets.js";
import type { TestSluice } from "../../test/support/running/test-sluice.js";
import { recordsOf } from "../machine/records.js";
import type { Workshop } from "../workshop.js";

const DAY_MS = 86_400_000;

/** Puts certificates for `hosts` below Sluice's domain, one each, where `sluice certs` puts them. */
export async function addCertificates(
  workshop: Workshop,
  sluice: TestSluice,
  hosts: readonly string[],
): Promise<void> {
  const box = certificateBox(certificateSecret(await openSecretBox(new Home(sluice.home).key())));
  const store = new Certificates(await recordsOf(workshop, sluice), box);
  const made = await Promise.all(hosts.map(async (host) => ({ host, pem: await selfSigned(host) })));
  const now = Date.now();
  await Promise.all(
    made.map(async ({ host, pem }) => {
      const id = createHash("sha256").update(pem).digest("hex").slice(0, 32);
      const dates = { notBefore: now - DAY_MS, notAfter: now + 90 * DAY_MS, since: now };
      await store.put(
        { v: 1, id, app: null, names: [host], source: "own", issuer: "bench", ...dates, pem },
        [],
        [],
      );
    }),
  );
}

async function selfSigned(host: string): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${host}`,
      notBefore: new Date(),
      notAfter: new Date(Date.now() + 90 * DAY_MS),
      signingAlgorithm: algorithm,
      keys,
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const lines = key.match(/.{1,64}/g) ?? [];
  return `${certificate.toString("pem")}\n-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
