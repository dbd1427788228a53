import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { DomainDns } from "../../core/api/apps/domains.js";
import type { Settings } from "../../core/settings/settings.js";

const RESOLVER = { timeout: 2000, tries: 2 };
/** What name servers say of a name that does not exist, or has no such record. */
const NOTHING = new Set(["ENOTFOUND", "ENODATA"]);

/** Where visitors of a domain arrive, by name servers (node:dns). `expected`: `expectedAddresses`. */
export async function domainDns(
  domain: string,
  expected: readonly string[],
  settings: Pick<Settings, "network">,
): Promise<DomainDns> {
  const resolver = resolverOf(settings);
  // Any name below it.
  const found = await addressesOf(resolver, domain.replace("*", "sluice"));
  if (found === undefined) return { state: "unknown", found: [], expected };
  if (found.length === 0) return { state: "nowhere", found, expected };
  const isHere = found.every((address) => expected.includes(address));
  return { state: isHere ? "here" : "elsewhere", found, expected };
}

/** Those at which visitors reach this Sluice, as far as it knows. */
export async function expectedAddresses({
  domain,
  publicAddresses,
  fleet,
  network,
}: Pick<Settings, "domain" | "publicAddresses" | "fleet" | "network">): Promise<string[]> {
  if (publicAddresses.length > 0) return publicAddresses;
  const shared = [fleet.virtualAddress, fleet.reservedAddress].filter((address) => address !== undefined);
  if (shared.length > 0) return shared;
  const ofDomain = (await addressesOf(resolverOf({ network }), domain)) ?? [];
  const own = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const reachable = own.filter(({ internal }) => !internal).map(({ address }) => address);
  return [...new Set([...ofDomain, ...reachable])];
}

function resolverOf({ network: { nameServers } }: Pick<Settings, "network">): Resolver {
  const resolver = new Resolver(RESOLVER);
  if (nameServers.length > 0) resolver.setServers(nameServers);
  return resolver;
}

/** Undefined: name servers did not answer. */
async function addressesOf(resolver: Resolver, name: string): Promise<string[] | undefined> {
  if (isIP(name) !== 0) return [name];
  const answers = await Promise.all([resolver.resolve4(name), resolver.resolve6(name)].map(settled));
  const known = answers.filter((answer) => answer !== undefined);
  return known.length < answers.length && known.flat().length === 0 ? undefined : known.flat();
}

async function settled(answer: Promise<string[]>): Promise<string[] | undefined> {
  return answer.catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return NOTHING.has(code) ? [] : undefined;
  });
}
