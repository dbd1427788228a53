import type { NextFunction, Response } from "express";
import { includesRight, type Right } from "../../../core/api/access/scope.js";
import { AppError } from "../../../core/errors/app-error.js";
import { requireRight, type Holder } from "../../access/holder.js";
import { holderOf } from "./require-token.js";

/** What a route needs. */
export interface Need {
  readonly right: Right;
  /** `app`: for the app in its address. `all`: for all apps. `any`: for some; the answer tells of those alone. */
  readonly of: "app" | "all" | "any";
}

/** Stands first in a route: a route without one is refused (`refuseUndeclared`). */
export interface Guard {
  (request: object, response: Response, next: NextFunction): void;
  readonly need: Need;
}

/** Each throws `forbidden`, `app` also `app-unknown` for an app that is none of the holder's. */
export const needs = {
  app: (right: Right): Guard =>
    guard({ right, of: "app" }, (holder, request) => requireRight(holder, right, appIn(request))),
  all: (right: Right): Guard =>
    guard({ right, of: "all" }, (holder) => requireRight(holder, right, undefined)),
  any: (right: Right): Guard =>
    guard({ right, of: "any" }, ({ scope: { may, apps } }) => {
      if (!includesRight(may, right))
        throw new AppError("forbidden", { needed: right, held: may, app: undefined, apps });
    }),
};

function guard(need: Need, check: (holder: Holder, request: object) => void): Guard {
  const handler = (request: object, response: Response, next: NextFunction): void => {
    check(holderOf(response), request);
    next();
  };
  return Object.assign(handler, { need });
}

/** Not by the request's type: Express would take the parameters that a guard names for all that the route has. */
function appIn(request: object): string {
  const params: unknown = Reflect.get(request, "params");
  return typeof params === "object" && params !== null ? String(Reflect.get(params, "app")) : "";
}
