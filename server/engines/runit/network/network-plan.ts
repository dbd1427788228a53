import { ownerMark } from "../../../../core/instances/control-group.js";

/** Addresses that nobody routes (RFC 2544): every sandbox with a network of its own has four of them. */
const BASE = [198, 18] as const;
export const SLOTS = 16_384;
/** At this address each of them finds what this machine offers to apps. Slot 0 is never given. */
export const MACHINE_ADDRESS = "198.18.0.1";
export const SANDBOX_ADDRESSES = "198.18.0.0/15";

export interface NetworkNames {
  /** Of nftables. */
  readonly table: string;
  /** Beginnings of the names of devices, which are short (IFNAMSIZ). */
  readonly instances: string;
  readonly tasks: string;
}

/** What a state folder's networks are called: other state folders of this machine have others. */
export function networkNames(owner: string): NetworkNames {
  const mark = ownerMark(owner).slice(0, 6);
  return { table: `sluice_${mark}`, instances: `si${mark}`, tasks: `st${mark}` };
}

export interface NetworkPlan {
  /** Its name for ip-netns(8). */
  readonly namespace: string;
  /** The machine's end of the cable. */
  readonly device: string;
  readonly gateway: string;
  readonly address: string;
}

/** What the network of a slot is called and where it lies. `devices` is the beginning of its device's name. */
export function networkPlan(slot: number, devices: string): NetworkPlan {
  const at = slot * 4;
  const address = (host: number): string =>
    [BASE[0], BASE[1] + (at >> 16), (at >> 8) & 255, (at & 255) + host].join(".");
  return {
    namespace: `sluice-${slot}`,
    device: `${devices}${slot}`,
    gateway: address(1),
    address: address(2),
  };
}
