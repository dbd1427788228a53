import { z } from "zod";

/** A certificate, without its key. Times in ISO 8601. */
export const certificateSummarySchema = z.object({
  id: z.string(),
  app: z.string(),
  /** What it is valid for. */
  names: z.array(z.string()).readonly(),
  /** For which of them it is served: those that the app has. */
  served: z.array(z.string()).readonly(),
  /** `acme`: from an authority, renewed by itself; `own`: given by somebody. */
  source: z.enum(["acme", "own"]),
  issuer: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
  /** `expiring`: within two weeks, and for one from an authority within what a renewal may take. */
  state: z.enum(["valid", "expiring", "expired"]),
  /** Proxies that cannot serve it; server.log there says why. */
  refusedBy: z.array(z.string()).readonly(),
});

/** A name without a certificate from an authority. */
export const uncertifiedSchema = z.object({
  app: z.string(),
  name: z.string(),
  reason: z.string(),
  /** Null: it was not tried yet. */
  triedAt: z.string().nullable(),
  /** Null: by no time, but by what the reason says. */
  nextTryAt: z.string().nullable(),
});

/** `GET /certificates`, `GET /apps/APP/certificates` */
export const certificatesSchema = z.object({
  certificates: z.array(certificateSummarySchema).readonly(),
  uncertified: z.array(uncertifiedSchema).readonly(),
});

/** `POST /apps/APP/certificates` (PEM), answered with the certificate and what should be known of it. */
export const certificateRequestSchema = z.strictObject({
  certificate: z.string().max(100_000),
  key: z.string().max(20_000),
});

export const addedCertificateSchema = certificateSummarySchema.extend({
  warnings: z.array(z.string()).readonly(),
});

export type CertificateSummary = z.infer<typeof certificateSummarySchema>;
export type Uncertified = z.infer<typeof uncertifiedSchema>;
export type CertificatesAnswer = z.infer<typeof certificatesSchema>;
