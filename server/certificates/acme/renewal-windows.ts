import { AuthorityKeyIdentifierExtension, X509Certificate } from "@peculiar/x509";
import { axios } from "acme-client";
import { z } from "zod";
import { parseRetryAfter } from "../../../core/network/send-request.js";
import type { Certificate } from "../../../core/records/certificates/certificate.js";
import type { Authority } from "./authority.js";
import type { RenewalWindow } from "../renewal.js";

/** When nothing says otherwise (RFC 9773, 4.3.3). */
const ASK_AGAIN_MS = 6 * 3_600_000;
const SHORTEST_MS = 60_000;

const answerSchema = z.object({
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
});

interface Known {
  readonly window: RenewalWindow | undefined;
  readonly askAgainAt: number;
}

/** When authorities want certificates to be replaced (ACME Renewal Information, RFC 9773): one that is revoked, at once. */
export class RenewalWindows {
  private readonly known = new Map<string, Known>();

  /** As it was heard last; undefined: the authority says nothing. */
  of({ id }: Pick<Certificate, "id">): RenewalWindow | undefined {
    return this.known.get(id)?.window;
  }

  /** Asks for those about which it is time to. `now`: ms since 1970. */
  async refresh(authority: Authority, certificates: readonly Certificate[], now: number): Promise<void> {
    const due = certificates.filter(({ id }) => (this.known.get(id)?.askAgainAt ?? 0) <= now);
    if (due.length === 0) return;
    // Without an answer there is the time that every certificate has.
    const url = await authority.renewalInfo().catch(() => undefined);
    for (const certificate of due)
      this.known.set(
        certificate.id,
        url === undefined
          ? { window: undefined, askAgainAt: now + ASK_AGAIN_MS }
          : await ask(url, certificate, now),
      );
  }

  forgetOthers(certificates: readonly Certificate[]): void {
    const ids = new Set(certificates.map(({ id }) => id));
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
  }
}

async function ask(url: string, { pem }: Certificate, now: number): Promise<Known> {
  try {
    const { data, headers, status } = await axios.get<unknown>(`${url}/${renewalName(pem)}`);
    if (status !== 200) return { window: undefined, askAgainAt: now + ASK_AGAIN_MS };
    const { start, end } = answerSchema.parse(data).suggestedWindow;
    const again = parseRetryAfter(String(headers["retry-after"] ?? ""), now) ?? ASK_AGAIN_MS;
    return {
      window: { start: Date.parse(start), end: Date.parse(end) },
      askAgainAt: now + Math.max(SHORTEST_MS, Math.min(again, ASK_AGAIN_MS)),
    };
  } catch {
    return { window: undefined, askAgainAt: now + SHORTEST_MS * 10 };
  }
}

/** A certificate's name there: its authority's key identifier and its serial number, each base64url (RFC 9773, 4.1). */
export function renewalName(pem: string): string {
  const certificate = new X509Certificate(pem.slice(0, pem.indexOf("-----END CERTIFICATE-----") + 25));
  const extension = certificate.getExtension(AuthorityKeyIdentifierExtension);
  const key = Buffer.from(extension?.keyId ?? "", "hex").toString("base64url");
  return `${key}.${Buffer.from(certificate.serialNumber, "hex").toString("base64url")}`;
}
