import { count } from "./fields.js";

export interface Meminfo {
  readonly totalKilobytes: number;
  /** What could be had without swapping: free memory and what caches would give back. */
  readonly availableKilobytes: number;
}

/** proc(5), /proc/meminfo. MemAvailable is there since Linux 3.14. */
export function parseMeminfo(text: string): Meminfo | undefined {
  const totalKilobytes = kilobytes(text, "MemTotal");
  const availableKilobytes = kilobytes(text, "MemAvailable");
  if (totalKilobytes === undefined || availableKilobytes === undefined || totalKilobytes === 0)
    return undefined;
  return { totalKilobytes, availableKilobytes: Math.min(availableKilobytes, totalKilobytes) };
}

function kilobytes(text: string, name: string): number | undefined {
  return count(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]);
}
