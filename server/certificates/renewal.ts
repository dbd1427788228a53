import { createHash } from "node:crypto";
import type { Certificate } from "../../core/records/certificates/certificate.js";

/** As an authority suggests it (RFC 9773, 4.2); ms since 1970. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

type Dated = Pick<Certificate, "id" | "notBefore" | "notAfter">;

/**
 * When a certificate is to be replaced (ms since 1970): within the authority's window, else in the last third of its life; spread
 * by its id, so that many of one day are not renewed in one moment. Whatever the authority says, not later than that. Pure.
 */
export function renewalAt(certificate: Dated, window?: RenewalWindow): number {
  const { notBefore, notAfter } = certificate;
  const third = notBefore + ((notAfter - notBefore) * 2) / 3;
  // The first half of it: what fails has time to be tried again.
  const { start, end } = window ?? { start: third, end: third + (notAfter - third) / 2 };
  const latest = notBefore + ((notAfter - notBefore) * 5) / 6;
  return Math.min(latest, start + Math.max(0, end - start) * spreadOf(certificate.id));
}

/** 0 to 1, always the same for an id. */
function spreadOf(id: string): number {
  return createHash("sha256").update(id).digest().readUInt32BE(0) / 2 ** 32;
}
