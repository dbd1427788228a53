import { Router } from "express";
import {
  flagRequestSchema,
  type ChangedFlag,
  type FlagChange,
  type FlagSummary,
} from "../../../core/api/apps/flags.js";
import { AppError } from "../../../core/errors/app-error.js";
import { flagText } from "../../flags/flag.js";
import type { FlagStore } from "../../flags/flag-store.js";
import { flagSummary } from "../../flags/flag-summary.js";
import { tooDeep } from "../../flags/too-deep.js";
import type { AppStore } from "../../apps/app-store.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";

/** `/apps/APP/flags`: read, set, remove, and who changed what. */
export function flagsApi(apps: AppStore, flags: FlagStore): Router {
  const router = Router();
  router.get("/apps/:app/flags", needs.app("read"), async (request, response) => {
    const app = await apps.read(request.params.app);
    const all = [...(await flags.list(app.name))];
    const summaries = Object.fromEntries(all.map(([flag, text]) => [flag, flagSummary(text)]));
    response.json(summaries satisfies Record<string, FlagSummary>);
  });
  router.get("/apps/:app/flags/changes", needs.app("read"), async (request, response) => {
    const app = await apps.read(request.params.app);
    response.json((await flags.changes(app.name)) satisfies FlagChange[]);
  });
  router.put("/apps/:app/flags/:flag", needs.app("operate"), async (request, response) => {
    const { flag } = request.params;
    const body = tooDeep(request.body) ? undefined : flagRequestSchema.safeParse(request.body);
    if (body?.success !== true)
      throw new AppError("request-invalid", {
        problem: 'the body must be {"value": …} or {"text": "…"}, a boolean, string, number or rule',
      });
    const text = "text" in body.data ? body.data.text : flagText(body.data.value);
    const app = await apps.read(request.params.app);
    const before = await flags.set(app.name, flag, text, holderOf(response));
    response.json({
      app: app.name,
      flag,
      ...flagSummary(text),
      before: before === undefined ? null : flagSummary(before),
    } satisfies ChangedFlag);
  });
  router.delete("/apps/:app/flags/:flag", needs.app("operate"), async (request, response) => {
    const app = await apps.read(request.params.app);
    await flags.unset(app.name, request.params.flag, holderOf(response));
    response.status(204).end();
  });
  return router;
}
