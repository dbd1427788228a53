import { covers, type Certificate } from "../../core/records/certificates/certificate.js";

/** An authority issues no certificate for more (Let's Encrypt: "Names per Certificate"). */
const MOST_NAMES = 100;
/** The certificate, with its chain and key, and the list of its names must each fit into a command to HAProxy (16 KiB). */
const MOST_CHARACTERS = 5000;

type KnownCertificate = Pick<Certificate, "id" | "names" | "source" | "notAfter">;

export interface PlannedOrder {
  readonly names: readonly string[];
  /** Ids of certificates that the new one takes the place of. */
  readonly replaced: readonly string[];
}

export interface OrderPlan {
  readonly orders: readonly PlannedOrder[];
  /** Ids of certificates from an authority that nobody needs any more. */
  readonly unneeded: readonly string[];
}

export interface PlanOptions {
  /** The app's names that are to have a certificate. */
  readonly wanted: readonly string[];
  /** The app's. */
  readonly certificates: readonly KnownCertificate[];
  readonly isDue: (certificate: KnownCertificate) => boolean;
  /** Whether a name is not to be asked for now. */
  readonly isHeld: (name: string) => boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * What is to be ordered for one app: what has no certificate in one order, what is due in another. A certificate whose names
 * cannot all be had now stays beside the new one until it expires, or until they can. Pure.
 */
export function planOrders({ wanted, certificates, isDue, isHeld, now }: PlanOptions): OrderPlan {
  const valid = certificates.filter(({ notAfter }) => notAfter > now);
  const own = valid.filter(({ source }) => source === "own");
  const issued = certificates.filter(({ source }) => source === "acme");
  const due = issued.filter(isDue);
  const fresh = valid.filter((certificate) => certificate.source === "acme" && !due.includes(certificate));
  const needed = wanted.filter((name) => !isCovered(name, own));
  const neededOf = ({ names }: KnownCertificate): string[] => names.filter((name) => needed.includes(name));
  const unneeded = issued.filter((certificate) => {
    const names = neededOf(certificate);
    return due.includes(certificate) ? names.every((name) => isCovered(name, fresh)) : names.length === 0;
  });
  const kept = due.filter((certificate) => !unneeded.includes(certificate));
  const missing = needed.filter((name) => !isCovered(name, valid) && !isHeld(name));
  const ending = needed.filter(
    (name) => isCovered(name, kept) && !isCovered(name, fresh) && !missing.includes(name) && !isHeld(name),
  );
  const orders = [...inParts(missing), ...inParts(ending)].map((names) => ({
    names,
    replaced: [] as string[],
  }));
  const ordered = new Set(orders.flatMap(({ names }) => names));
  for (const certificate of kept) {
    const names = neededOf(certificate).filter((name) => !isCovered(name, fresh));
    // Of several orders, the last one takes its place.
    const last = orders.filter((order) => names.some((name) => order.names.includes(name))).at(-1);
    if (names.every((name) => ordered.has(name))) last?.replaced.push(certificate.id);
  }
  return { orders, unneeded: unneeded.map(({ id }) => id) };
}

function isCovered(name: string, certificates: readonly KnownCertificate[]): boolean {
  return certificates.some(({ names }) => names.some((other) => covers(other, name)));
}

function inParts(names: readonly string[]): string[][] {
  const parts: string[][] = [];
  let characters = 0;
  for (const name of names) {
    const part = parts.at(-1);
    if (part === undefined || part.length >= MOST_NAMES || characters + name.length > MOST_CHARACTERS) {
      parts.push([name]);
      characters = name.length;
    } else {
      part.push(name);
      characters += name.length;
    }
  }
  return parts;
}
