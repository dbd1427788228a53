import type { Certificates } from "../../core/records/certificates/certificates.js";
import type { CertificateLoop } from "./certificate-loop.js";

/** What there is of certificates, and what orders them. */
export interface CertificateCare {
  readonly certificates: Certificates;
  readonly loop: CertificateLoop;
}
