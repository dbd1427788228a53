import type { Readable } from "node:stream";

/** What a host is to be. */
export interface HostPlan {
  readonly name: string;
  /** At which the other hosts reach it; it must be one of the machine's own. */
  readonly privateAddress: string;
  /** Lines for `authorized_keys` of who logs in. */
  readonly adminKeys: readonly string[];
  /** Private addresses of all hosts, or networks (CIDR): they may reach this one at every port. */
  readonly peers: readonly string[];
  /** Ports that anybody may reach, besides SSH. */
  readonly openPorts: readonly number[];
  readonly sshPort: number;
  readonly instanceReach: InstanceReach;
  /** Debian packages. */
  readonly packages: readonly string[];
  readonly release: ShippedRelease;
  /** Text of sluice.yml, with secrets. */
  readonly settings: string;
  /** Further files, with secrets. */
  readonly files: readonly PlannedFile[];
  /** Of `sluice up --roles`. */
  readonly upRoles: readonly string[];
  /** Undefined for a host that is no proxy, or where proxies share none. */
  readonly virtualAddress: VirtualAddressPlan | undefined;
  /** Undefined for a host that runs no instances. */
  readonly swarm: SwarmPlan | undefined;
}

/** What of private networks instances reach. */
export interface InstanceReach {
  /** What Sluice offers them, over TCP: the apps' Redis, the flags. */
  readonly offers: readonly { readonly address: string; readonly port: number }[];
  /** Addresses and CIDRs, IPv4 and IPv6. */
  readonly networks: readonly string[];
}

export interface PlannedFile {
  readonly path: string;
  readonly text: string;
}

export interface VirtualAddressPlan {
  readonly address: string;
  /** Private addresses of all that share it. */
  readonly proxies: readonly string[];
  /** At which HAProxy answers. */
  readonly httpPort: number;
}

export interface SwarmPlan {
  readonly token: string;
  /** `10.0.0.2:2377` */
  readonly manager: string;
  /** `10.0.0.2:5443`, and the certificate (PEM) of the authority that vouches for it; undefined for a public one. */
  readonly registry: { readonly address: string; readonly authority: string | undefined };
}

/** The Sluice that hosts get: the server's own. */
export interface ShippedRelease {
  /** Changes with its content. */
  readonly id: string;
  /** The machine's, as uname(1) says it: `x86_64`. */
  readonly architecture: string;
  /** A gzipped tar of the release: `bin/`, `dist/`, … */
  readonly archive: () => Readable;
  /** A Node.js that can run it, gzipped, for hosts that have none. */
  readonly node: () => Readable;
  /** Its npm, a gzipped tar of the package's folder, for a server that has none: apps are built there. */
  readonly npm: () => Readable;
}
