import { isIPv6 } from "node:net";
import { withoutMapping } from "./origin.js";

export interface Network {
  readonly name: string;
  /** How many times the attempts of one sender it may make. */
  readonly share: number;
}

/** A /48 may make as many attempts as so many of its /64 networks together. */
const SENDERS_IN_SITE = 8;

/**
 * The networks that an address is counted in. An IPv6 host can choose any address in its /64, and a site has up to a /48 of
 * those (RFC 6177).
 */
export function networksOf(address: string): readonly Network[] {
  const plain = withoutMapping(address).replace(/%.*$/, "");
  if (!isIPv6(plain)) return [{ name: plain, share: 1 }];
  const groups = groupsOf(plain);
  return [
    { name: `${groups.slice(0, 4).join(":")}::/64`, share: 1 },
    { name: `${groups.slice(0, 3).join(":")}::/48`, share: SENDERS_IN_SITE },
  ];
}

/** The eight groups, without leading zeros; the last two may stand as an IPv4 address. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const left = partsOf(head);
  const right = tail === undefined ? [] : partsOf(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16));
}

function partsOf(text: string): string[] {
  return text.split(":").flatMap((part) => (part === "" ? [] : part.includes(".") ? ["0", "0"] : [part]));
}
