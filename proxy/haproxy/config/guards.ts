import type { AppRoutes } from "../../proxy.js";
import { GUARDED, guardEntry } from "./entries/guard-entry.js";

const BYTES = 1024 * 1024;

/** Target with `GUARDED` → who may visit it. Pure. */
export function guardsOf({ guards }: AppRoutes): Map<string, string> {
  const found = new Map<string, string>();
  for (const [target, { addresses, password, limits }] of guards) {
    const { requestsPerMinute, connections, bodyMegabytes } = limits;
    const entry = guardEntry.format({
      addresses: addresses.join(","),
      salt: password?.salt ?? "",
      hash: password?.hash ?? "",
      requests: textOf(requestsPerMinute),
      connections: textOf(connections),
      bodyBytes: textOf(bodyMegabytes === undefined ? undefined : bodyMegabytes * BYTES),
    });
    found.set(`${target}${GUARDED}`, entry);
  }
  return found;
}

function textOf(limit: number | undefined): string {
  return limit === undefined ? "" : String(limit);
}

/** A target as the map `hosts` has it. */
export function guardedTarget(guards: ReadonlyMap<string, string>, target: string): string {
  const marked = `${target}${GUARDED}`;
  return guards.has(marked) ? marked : target;
}
