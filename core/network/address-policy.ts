import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * Networks that are nobody's on the internet: this machine, private ones, link-local ones (a cloud's metadata is at
 * 169.254.169.254), multicast, reserved ones (RFC 6890), and those that carry an IPv4 address in an IPv6 one.
 */
const NOT_PUBLIC = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
  ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ...["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"],
  ...["fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
];

/** Whether everybody can reach what listens at an IP address, if no firewall stands before it. */
export function isPublicAddress(address: string): boolean {
  return !includes(listOf(NOT_PUBLIC), plainAddress(address));
}

/** Which addresses Sluice connects to when the address came from an app: the internet's, and what `network.allow` names. */
export class AddressPolicy {
  private readonly refused = listOf(NOT_PUBLIC);
  private readonly allowed: BlockList;

  constructor(allow: readonly string[]) {
    this.allowed = listOf(allow);
  }

  /** Whether an IP address may be connected to. `fe80::1%eth0` and what is no IP address may not. */
  allows(address: string): boolean {
    const plain = plainAddress(address);
    if (isIP(plain) === 0) return false;
    if (includes(this.allowed, plain)) return true;
    return !includes(this.refused, plain) && !isOwn(plain);
  }
}

/** `::ffff:127.0.0.1`, however it is written, is 127.0.0.1. */
function plainAddress(address: string): string {
  if (isIP(address) !== 6 || address.includes("%")) return address;
  // URL writes an IPv6 address in its one shortest form (RFC 5952).
  const shortest = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(shortest) ?? [];
  if (high === undefined || low === undefined) return shortest;
  const [a, b] = [parseInt(high, 16), parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join(".");
}

/** A public address of this machine leads to what listens on it all the same. */
function isOwn(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return own.some((each) => plainAddress(each.address) === address);
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const kind = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, kind);
    else list.addSubnet(address, Number(prefix), kind);
  }
  return list;
}

function includes(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
