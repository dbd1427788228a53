import type { ErrorRequestHandler } from "express";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { isForAllApps, knownApps } from "../../access/holder.js";
import { holderOf } from "./require-token.js";

/** `app-unknown` lists the existing apps; a holder of some apps sees only the names in its scope. */
export const hideOtherApps: ErrorRequestHandler = (error, request, response, next) => {
  const holder = holderOf(response);
  const isTold = !isAppError(error, "app-unknown") || isForAllApps(holder);
  const [, app = ""] = /^\/apps\/([^/]+)/.exec(request.path) ?? [];
  next(isTold ? error : new AppError("app-unknown", { app, known: knownApps(holder.scope) }));
};
