/** Addresses that nobody routes (RFC 2544): every sandbox with a network of its own has four of them. */
const BASE = [198, 18] as const;
export const SLOTS = 16_384;
/** At this address each of them finds what this machine offers to apps. Slot 0 is never given. */
export const MACHINE_ADDRESS = "198.18.0.1";
export const SANDBOX_ADDRESSES = "198.18.0.0/15";

export interface NetworkPlan {
  /** Its name for ip-netns(8). */
  readonly namespace: string;
  /** The machine's end of the cable. */
  readonly device: string;
  readonly gateway: string;
  readonly address: string;
}

/** What the network of a slot is called and where it lies. `prefix` tells the state folder and what its networks are for. */
export function networkPlan(slot: number, prefix: string): NetworkPlan {
  const at = slot * 4;
  const address = (host: number): string =>
    [BASE[0], BASE[1] + (at >> 16), (at >> 8) & 255, (at & 255) + host].join(".");
  return {
    namespace: `sluice-${slot}`,
    device: `${prefix}${slot}`,
    gateway: address(1),
    address: address(2),
  };
}
