import { covers, type Certificate } from "./certificate.js";
import type { RouteTable } from "../routes/route-table.js";

/**
 * For which names a certificate is served: only those that belong to its app, whatever else it is valid for. `table`: its app's;
 * undefined: Sluice's own, for what is directly below its domain. Pure.
 */
export function servedNames(
  { names }: Pick<Certificate, "names">,
  table: Pick<RouteTable, "app" | "domains"> | undefined,
  domain: string,
): string[] {
  const owned = ownedNames(table, domain);
  const served = names.flatMap((name) => {
    if (owned.has(name) || [...owned].some((own) => covers(own, name))) return [name];
    return [...owned].filter((own) => covers(name, own));
  });
  return [...new Set(served)].sort();
}

/** A wildcard stands for everything one level below. */
function ownedNames(table: Pick<RouteTable, "app" | "domains"> | undefined, domain: string): Set<string> {
  if (table === undefined) return new Set([domain, `*.${domain}`]);
  const host = `${table.app}.${domain}`;
  return new Set([host, `*.${host}`, ...table.domains.map(({ name }) => name)]);
}
