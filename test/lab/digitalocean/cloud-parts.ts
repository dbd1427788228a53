import type { CloudAddress, CloudDisk, CloudHost } from "./cloud-host.js";
import type { Region, Size } from "./offers.js";

/** What is wrong with a droplet on purpose. `silent`: it has an address, but its network is cut. */
export type Quirk = "never-active" | "no-address" | "silent" | "wrong-host-key";

export interface DropletOrder {
  readonly name: string;
  readonly size: Size;
  readonly region: Region;
  readonly image: object;
  readonly disk: CloudDisk | undefined;
  readonly tags: readonly string[];
  readonly userData: string;
  readonly vpc: string;
}

export interface CloudDroplet extends DropletOrder {
  readonly id: number;
  readonly createdAt: string;
  status: "new" | "active" | "off";
  host: CloudHost | undefined;
  hasAddress: boolean;
  /** Resolves when booting has succeeded or failed. */
  settled: Promise<void>;
}

export interface CloudAction {
  readonly id: number;
  readonly type: string;
  readonly resource: { readonly id: number; readonly type: string };
  readonly region: Region;
  readonly startedAt: string;
  status: "in-progress" | "completed" | "errored";
  completedAt: string | undefined;
}

export interface CloudSnapshot {
  readonly id: number;
  readonly name: string;
  readonly createdAt: string;
  readonly droplet: CloudDroplet;
  readonly disk: CloudDisk;
}

export interface CloudReservedIp {
  readonly place: CloudAddress;
  readonly region: Region;
  /** The droplet that has it. */
  droplet: CloudDroplet | undefined;
}

export interface CloudKey {
  readonly id: number;
  readonly name: string;
  readonly publicKey: string;
  readonly fingerprint: string;
}

/** A droplet on the bill. Times are ISO 8601. */
export interface BillItem {
  readonly id: number;
  readonly name: string;
  readonly monthlyUsd: number;
  readonly created: string;
  destroyed?: string;
}

export interface CloudVpc {
  readonly id: string;
  readonly name: string;
  /** Slug. */
  readonly region: string;
  /** CIDR. */
  readonly range: string;
  readonly isDefault: boolean;
}
