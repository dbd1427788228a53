import type { Sample } from "../../core/records/hosts/sample.js";

/**
 * By what the CPU that was used on a host must be multiplied to be the CPU that was wanted. What a hypervisor takes is not
 * counted as used: with half of it stolen, an instance that never rests uses 50 %. 1 without steal.
 */
export function stretchOf({ user, system, steal }: Sample["cpu"]): number {
  const used = user + system;
  return used === 0 ? 1 : (used + steal) / used;
}
