import { isIP } from "node:net";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { Settings } from "../../core/settings/settings.js";

/** No authority vouches for names below these (RFC 6761, 6762, 8375, 9476). */
const NOT_PUBLIC = ["localhost", "local", "internal", "home.arpa", "alt"];

/**
 * Which of an app's names are to have a certificate from an authority: its domains, and the one that Sluice gives it. Wildcards
 * need `tls.dnsHook`: then what is below the app's name (previews, releases) has one, too. Pure.
 */
export function wantedNames(
  { app, domains, https }: Pick<RouteTable, "app" | "domains" | "https">,
  { domain, tls }: Pick<Settings, "domain" | "tls">,
): string[] {
  if (https.mode === "off") return [];
  const own = domains.map(({ name }) => name);
  const given = isPublic(domain) ? [`${app}.${domain}`, `*.${app}.${domain}`] : [];
  const names = [...given, ...own];
  return [...new Set(tls.dnsHook === undefined ? names.filter((name) => !name.startsWith("*.")) : names)];
}

/** What of Sluice's own is to have one: the control port, unless its certificate is in files. */
export function controlNames({ control: { domain, certificateFile } }: Pick<Settings, "control">): string[] {
  return domain === undefined || certificateFile !== undefined ? [] : [domain];
}

/** Whether an authority may vouch for names below a domain. */
export function isPublic(domain: string): boolean {
  if (isIP(domain) !== 0 || !domain.includes(".")) return false;
  return !NOT_PUBLIC.some((zone) => domain === zone || domain.endsWith(`.${zone}`));
}
