import type { NextFunction, Response } from "express";
import { includesRight, type Right } from "../../../core/api/access/scope.js";
import { AppError } from "../../../core/errors/app-error.js";
import { requireRight, type Holder } from "../../access/holder.js";
import { holderOf } from "./require-token.js";

/** What a route needs. */
export interface Need {
  readonly right: Right;
  /** `app`: for the app in the path. `all`: for all apps. `any`: for some app; the answer is limited to the scope. */
  readonly of: "app" | "all" | "any";
}

/** The first handler of every route; the server does not start with a route that has none (`refuseUndeclared`). */
export interface Guard {
  (request: object, response: Response, next: NextFunction): void;
  readonly need: Need;
}

/** Each throws `forbidden`; `app` throws `app-unknown` for an app outside the scope. */
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

/** The request is untyped, because Express would infer the route's parameters from the guard's type. */
function appIn(request: object): string {
  const params: unknown = Reflect.get(request, "params");
  return typeof params === "object" && params !== null ? String(Reflect.get(params, "app")) : "";
}
