import { coversApp, includesRight, type Right } from "../../core/api/access/scope.js";
import { AppError } from "../../core/errors/app-error.js";
import type { Actor } from "../../core/records/events/actor.js";
import type { Credential } from "./credential.js";

/** Whoever sends a request, and what they may do. */
export interface Holder extends Actor, Pick<Credential, "id" | "scope" | "expiresAt"> {
  readonly from: string;
}

export function makeHolder({ id, name, scope, expiresAt }: Credential, from: string): Holder {
  return { by: name, from, id, scope, expiresAt };
}

/** Whether a request may be about all apps, those that are made later too. */
export function isForAllApps({ scope }: Pick<Holder, "scope">): boolean {
  return scope.apps === "all";
}

/**
 * Lets a holder do something to an app, or to the server when `app` is undefined. Throws `forbidden`; for an app that is none
 * of the holder's `app-unknown`, as if there were none.
 */
export function requireRight({ scope }: Pick<Holder, "scope">, right: Right, app: string | undefined): void {
  if (app !== undefined && !coversApp(scope, app))
    throw new AppError("app-unknown", { app, known: knownApps(scope) });
  const isAllowed = includesRight(scope.may, right) && (app !== undefined || scope.apps === "all");
  if (!isAllowed) throw new AppError("forbidden", { needed: right, held: scope.may, app, apps: scope.apps });
}

/** What may be said of the apps that there are to a holder of some. */
export function knownApps({ apps }: Holder["scope"]): readonly string[] {
  return apps === "all" ? [] : apps;
}
