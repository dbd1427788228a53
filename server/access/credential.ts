import { AppError } from "../../core/errors/app-error.js";
import type { Scope } from "../../core/api/access/scope.js";

/** A token or an SSH key that Sluice knows. */
export interface Credential {
  readonly id: string;
  /** As events name its holder. */
  readonly name: string;
  readonly scope: Scope;
  /** ISO 8601; undefined: never. */
  readonly expiresAt: string | undefined;
}

/** The admin token of the state folder, or of the environment. */
export const ADMIN: Credential = {
  id: "admin",
  name: "admin",
  scope: { apps: "all", may: "admin" },
  expiresAt: undefined,
};

/** Events use these names for the admin token and for Sluice itself. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([ADMIN.name, "sluice", "autoscaler"]);

export function isReservedName(name: string): boolean {
  return RESERVED_NAMES.has(name.toLowerCase());
}

/** Throws `credential-expired`. */
export function refuseExpired({ name, expiresAt }: Credential, kind: "token" | "key", now: number): void {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now)
    throw new AppError("credential-expired", { kind, name, expiresAt });
}

/** `push, shop and blog, until 2027-02-25`, for the event of a new token or key. */
export function describeScope({ apps, may }: Scope, expiresAt: string | undefined): string {
  const until = expiresAt === undefined ? "" : `, until ${expiresAt.slice(0, 10)}`;
  return `${may}, ${apps === "all" ? "all apps" : apps.join(" and ")}${until}`;
}
