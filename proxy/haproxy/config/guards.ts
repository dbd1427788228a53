import { REDIRECT, type AppRoutes, type Guard } from "../../proxy.js";
import { GUARDED, guardEntry } from "./entries/guard-entry.js";

const FREE: Guard = { addresses: [], password: undefined, limits: {} };
const BYTES = 1024 * 1024;

/** Target with `GUARDED` → who may visit it. Pure. */
export function guardsOf({ guards, hosts, errorPage }: AppRoutes): Map<string, string> {
  const found = new Map<string, string>();
  const targets = errorPage === undefined ? guards.keys() : hosts.values();
  for (const target of targets) {
    if (target.includes(REDIRECT)) continue;
    const { addresses, password, limits } = guards.get(target) ?? FREE;
    const { requestsPerMinute, connections, bodyMegabytes } = limits;
    const entry = guardEntry.format({
      addresses: addresses.join(","),
      salt: password?.salt ?? "",
      hash: password?.hash ?? "",
      requests: textOf(requestsPerMinute),
      connections: textOf(connections),
      bodyBytes: textOf(bodyMegabytes === undefined ? undefined : bodyMegabytes * BYTES),
      page: errorPage === undefined ? "" : "own",
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
