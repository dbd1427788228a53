import { isIPv6 } from "node:net";
import { withoutMapping } from "./origin.js";

export interface Network {
  readonly name: string;
  /** How many times as many attempts it may make as one sender. */
  readonly share: number;
}

/** Of the /64 networks in a /48, so many may fail as often as they like. */
const SENDERS_IN_SITE = 8;

/**
 * The networks that an address counts for. Of IPv6 a sender has a whole /64 to choose addresses from, and a site a whole /48 of
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
