import { coversApp, includesRight, type Right } from "../../core/api/access/scope.js";
import { AppError } from "../../core/errors/app-error.js";
import type { Actor } from "../../core/records/events/actor.js";
import type { Credential } from "./credential.js";

/** The client of a request, and what it may do. */
export interface Holder extends Actor, Pick<Credential, "id" | "scope" | "expiresAt"> {
  readonly from: string;
}

export function makeHolder({ id, name, scope, expiresAt }: Credential, from: string): Holder {
  return { by: name, from, id, scope, expiresAt };
}

/** Whether the scope is every app, later ones included. */
export function isForAllApps({ scope }: Pick<Holder, "scope">): boolean {
  return scope.apps === "all";
}

/**
 * Checks that the holder has a right for an app, or for the server when `app` is undefined. Throws `forbidden`, or
 * `app-unknown` for an app outside the scope, as if it did not exist.
 */
export function requireRight({ scope }: Pick<Holder, "scope">, right: Right, app: string | undefined): void {
  if (app !== undefined && !coversApp(scope, app))
    throw new AppError("app-unknown", { app, known: knownApps(scope) });
  const isAllowed = includesRight(scope.may, right) && (app !== undefined || scope.apps === "all");
  if (!isAllowed) throw new AppError("forbidden", { needed: right, held: scope.may, app, apps: scope.apps });
}

/** The app names that an error may show to this holder. */
export function knownApps({ apps }: Holder["scope"]): readonly string[] {
  return apps === "all" ? [] : apps;
}
