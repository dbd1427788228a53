import type { NextFunction, Request, Response } from "express";
import { authenticate, type Access } from "../../access/authenticate.js";
import type { Holder } from "../../access/holder.js";
import { endWhenRevoked } from "./end-when-revoked.js";

/** Requires `Authorization: Bearer TOKEN`. Throws as `authenticate` does. */
export function requireToken(access: Access) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const holder = await authenticate(access, request, { by: ["bearer"] });
    response.locals["holder"] = holder;
    endWhenRevoked(access.tokens, holder, response);
    next();
  };
}

/** The client of a request that has passed `requireToken`. */
export function holderOf({ locals }: Pick<Response, "locals">): Holder {
  // Only `requireToken` writes it; Express has no type for it.
  return locals["holder"] as Holder;
}
