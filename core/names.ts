import { domainToASCII } from "node:url";
import { AppError } from "./errors/app-error.js";

/** A DNS label of at most 40 characters with a letter first: safe in a host name, a path, a Redis key and a command. */
const APP_NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}$/;
const BRANCH_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._/-]{0,99})$/;
const PROCESS_NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,62}$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const FLAG_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;

/** Labels of letters, digits and hyphens (RFC 1123), at least two, the last one no number; `*` may stand for the first. */
const DOMAIN_NAME =
  /^(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** In lower case and as ASCII (RFC 5891), without a final dot. Throws `domain-invalid`. */
export function parseDomainName(text: string): string {
  const [, wildcard = "", rest = ""] = /^(\*\.)?(.*?)\.?$/.exec(text.trim()) ?? [];
  const name = `${wildcard}${domainToASCII(rest)}`;
  if (!DOMAIN_NAME.test(name)) throw new AppError("domain-invalid", { name: text });
  return name;
}

/**
 * Throws `domain-is-sluices` for a name that Sluice gives to apps by itself, below `own`, and `domain-is-control` for the control
 * port's, which would otherwise share its cookies and its certificate with an app.
 */
export function refuseSluices(domain: string, own: string, control: string | undefined): void {
  if (domain === own || domain.endsWith(`.${own}`)) throw new AppError("domain-is-sluices", { domain, own });
  if (control !== undefined && (domain === control || domain === wildcardOver(control)))
    throw new AppError("domain-is-control", { domain, control });
}

/** `*.example.com` for `shop.example.com`. */
export function wildcardOver(domain: string): string {
  return domain.replace(/^[^.]+/, "*");
}

export function parseAppName(name: string): string {
  if (!APP_NAME.test(name)) throw new AppError("app-name-invalid", { name });
  return name;
}

export function isProcessName(name: string): boolean {
  return PROCESS_NAME.test(name);
}

export function isEnvName(name: string): boolean {
  return ENV_NAME.test(name);
}

export function parseFlagName(name: string): string {
  if (!FLAG_NAME.test(name)) throw new AppError("flag-name-invalid", { name });
  return name;
}

/** `refs/heads/x` → `x`, or undefined when the ref is no branch with a name that is safe everywhere. */
export function branchOfRef(ref: string): string | undefined {
  if (!ref.startsWith("refs/heads/")) return undefined;
  const branch = ref.slice("refs/heads/".length);
  return BRANCH_NAME.test(branch) && !branch.includes("..") && !branch.endsWith("/") ? branch : undefined;
}

/** `v42` → 42, or undefined. */
export function parseReleaseName(name: string): number | undefined {
  return /^v[1-9]\d{0,8}$/.test(name) ? Number(name.slice(1)) : undefined;
}

export function releaseName(number: number): string {
  return `v${number}`;
}
