import type { NextFunction, Request, Response } from "express";
import { authenticate } from "../access/authenticate.js";
import type { TokenStore } from "../access/token-store.js";

/** Lets pass who sends `Authorization: Bearer TOKEN`. Throws `unauthorized`. */
export function requireToken(tokens: TokenStore) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    response.locals["holder"] = await authenticate(tokens, request, { by: ["bearer"] });
    next();
  };
}

/** Whose token it is, behind `requireToken`. */
export function holderOf({ locals }: Pick<Response, "locals">): string {
  return String(locals["holder"]);
}
