import type { FleetHost } from "../../core/records/fleet/fleet-host.js";
import type { RedisPlaces } from "../../core/redis/replicas/redis-places.js";
import type { FleetSettings } from "../../core/settings/fleet-settings.js";

/** What a host is told of the others. Private addresses, sorted. */
export interface Peers {
  /** Of all hosts that reach each other, the server's among them. */
  readonly hosts: readonly string[];
  /** Of the proxies that share an address with it, itself among them; empty while it is not to take part. */
  readonly proxies: readonly string[];
  /** The replicas of Redis. */
  readonly replicas: RedisPlaces["replicas"];
}

/**
 * What `host` is to be told. A proxy takes part in sharing an address once all who do so know it: else it would hear nothing
 * of who has the address, and take it.
 */
export function peersOf(
  host: FleetHost,
  hosts: readonly FleetHost[],
  { address, virtualAddress }: Pick<FleetSettings, "address" | "virtualAddress">,
): Peers {
  // A droplet that becomes a snapshot knows nobody, and nobody waits for it.
  const known = hosts.filter(
    ({ phase, snapshot }) => phase !== "creating" && phase !== "failed" && snapshot === undefined,
  );
  const proxies = known.filter(({ roles, phase }) => roles.includes("proxy") && phase !== "leaving");
  const own = hosts.find(({ name }) => name === host.name)?.privateAddress ?? host.privateAddress;
  const takesPart =
    virtualAddress !== undefined &&
    own !== undefined &&
    host.roles.includes("proxy") &&
    proxies.every(
      (other) => other.name === host.name || !sharesAddress(other) || other.proxies.includes(own),
    );
  return {
    hosts: sorted([address, ...known.map(({ privateAddress }) => privateAddress)]),
    proxies: takesPart ? sorted([own, ...proxies.map(({ privateAddress }) => privateAddress)]) : [],
    replicas: replicasAmong(hosts),
  };
}

/** The replicas of Redis among the hosts. */
export function replicasAmong(hosts: readonly FleetHost[]): RedisPlaces["replicas"] {
  return hosts.flatMap(({ name, roles, phase, privateAddress }) => {
    const isOne = roles.includes("redis") && (phase === "ready" || phase === "configuring");
    return isOne && privateAddress !== undefined ? [{ host: name, address: privateAddress }] : [];
  });
}

/** Whether the host was configured for exactly these. */
export function knowsPeers({ peers, proxies, replicas }: FleetHost, now: Peers): boolean {
  return isSame(peers, now.hosts) && isSame(proxies, now.proxies) && isSame(replicas, addressesOf(now));
}

/** Of the replicas, sorted. */
export function addressesOf({ replicas }: Pick<Peers, "replicas">): string[] {
  return sorted(replicas.map(({ address }) => address));
}

function sharesAddress({ privateAddress, proxies }: FleetHost): boolean {
  return privateAddress !== undefined && proxies.includes(privateAddress);
}

function sorted(addresses: readonly (string | undefined)[]): string[] {
  return [...new Set(addresses)].filter((address) => address !== undefined).sort();
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}
