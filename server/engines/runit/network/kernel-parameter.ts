import { quote } from "../../../../core/exec/quote.js";

/**
 * A command for sh(1) that sets a parameter of the network namespace in which it runs (sysctl(8)). Containers often have
 * /proc/sys for reading alone; there root writes in a mount of its own.
 */
export function setParameter(name: string, value: string): string {
  const set = `echo ${value} >/proc/sys/${name}`;
  const inOwnMount = `mount -o remount,rw,bind /proc/sys && ${set}`;
  return `{ { ${set}; } 2>/dev/null || unshare --mount /bin/sh -c ${quote(inOwnMount)}; }`;
}
