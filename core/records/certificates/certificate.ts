import { z } from "zod";

/** A certificate with its key, as proxies serve it. In Redis it is sealed whole. */
export const certificateSchema = z.object({
  v: z.literal(1),
  /** The beginning of the certificate's SHA-256 fingerprint: another certificate is another record. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** Whose names it is for; null: Sluice's own, of the control port. */
  app: z.string().nullable(),
  /** What it is valid for, in lower case: `www.example.com`, `*.example.com`, or an IP address. */
  names: z.array(z.string()).readonly(),
  /** `acme`: from an authority, renewed by itself; `own`: given by somebody, who renews it. */
  source: z.enum(["acme", "own"]),
  issuer: z.string(),
  /** Of `acme`: the directory of the authority that issued it. */
  directory: z.string().optional(),
  /** Milliseconds since 1970. */
  notBefore: z.number(),
  notAfter: z.number(),
  /** Since when its app has had such a certificate without a gap (ms since 1970): for what begins carefully. */
  since: z.number(),
  /** The certificate, those that lead to a root, and the key (PEM). */
  pem: z.string(),
});

export type Certificate = z.infer<typeof certificateSchema>;

/** Whether a certificate's name is for this host. A wildcard stands for one label (RFC 6125, 6.4.3). */
export function covers(name: string, host: string): boolean {
  return name === host || (name.startsWith("*.") && host.replace(/^[^.]+/, "*") === name);
}
