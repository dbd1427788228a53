import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { AddressPolicy } from "./address-policy.js";

/** A host that Sluice does not connect to, as its address is no public one. */
export class RefusedAddress extends Error {
  constructor(readonly host: string) {
    super(
      `${host} is an address of this machine or of a private network, which only \`network.allow\` in sluice.yml opens`,
    );
  }
}

/**
 * The addresses of a host (a name, an IPv4 or IPv6 address, the latter with or without brackets) that may be connected to,
 * the preferred one first. Whoever connects must use these, and not resolve the name again. Throws `RefusedAddress` when
 * there are others only, and what lookup(3) says when there are none.
 */
export async function resolveHost(host: string, policy: AddressPolicy): Promise<string[]> {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const addresses = isIP(name) > 0 ? [name] : (await lookup(name, { all: true })).map((each) => each.address);
  const allowed = addresses.filter((address) => policy.allows(address));
  if (allowed.length === 0) throw new RefusedAddress(host);
  return allowed;
}
