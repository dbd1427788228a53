import { Router, type NextFunction, type Request, type Response } from "express";
import { AppError } from "../../core/errors/app-error.js";
import { authenticate, type Access } from "../access/authenticate.js";
import { knownApps, requireRight } from "../access/holder.js";
import type { FlagsNeeds } from "./needs.js";
import { flagSummary } from "./flag-summary.js";
import type { FlagStore } from "./flag-store.js";
import { refuseForeignPage } from "./refuse-foreign-page.js";

export interface FlagTogglesOptions extends Pick<FlagsNeeds, "apps" | "settings"> {
  readonly access: Access;
  readonly flags: FlagStore;
}

/** What the sample app has the flag of `/disable/1` for. */
const SAMPLE = { app: "hello", flag: "disableSET" } as const;

/**
 * Flags by URL: `GET|POST /flags/APP/NAME/VALUE`, and `/disable/1`, `/disable/0` for the sample app's `disableSET`. With an
 * token that may operate the app as bearer or `?token=`.
 */
export function flagToggles({ apps, settings, access, flags }: FlagTogglesOptions): Router {
  const change = async (
    request: Pick<Request, "headers" | "query" | "socket">,
    appOf: () => Promise<string>,
    flag: string,
    text: string,
  ): Promise<object> => {
    const who = await authenticate(access, request, { by: ["bearer", "query"] });
    const name = await appOf();
    requireRight(who, "operate", name);
    const app = await apps.find(name);
    if (app === undefined) throw new AppError("app-unknown", { app: name, known: knownApps(who.scope) });
    const before = await flags.set(app.name, flag, text, who);
    return {
      app: app.name,
      flag,
      value: flagSummary(text).value,
      before: before === undefined ? null : flagSummary(before).value,
    };
  };
  const sampleApp = async (): Promise<string> => {
    if (settings.default !== undefined) return settings.default;
    const [first, ...others] = await apps.list();
    return first !== undefined && others.length === 0 ? first.name : SAMPLE.app;
  };
  const router = Router();
  router.all("/flags/:app/:name/:value", onlyGetAndPost, refuseForeignPage, async (request, response) => {
    const { app, name, value } = request.params;
    response.json(await change(request, async () => app, name, value));
  });
  router.all("/disable/:value", onlyGetAndPost, refuseForeignPage, async (request, response, next) => {
    const { value } = request.params;
    if (value === "0" || value === "1") response.json(await change(request, sampleApp, SAMPLE.flag, value));
    else next();
  });
  return router;
}

/** Express lets a HEAD request run what is there for GET; this must not be run by it. */
function onlyGetAndPost({ method }: Pick<Request, "method">, response: Response, next: NextFunction): void {
  // A token may stand in the address.
  response.set({ "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" });
  if (method === "GET" || method === "POST") next();
  else next("route");
}
