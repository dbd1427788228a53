import { Router, type Response } from "express";
import { z } from "zod";
import { AppError } from "../../core/errors/app-error.js";
import { flagText } from "../flags/flag.js";
import type { FlagStore } from "../flags/flag-store.js";
import { flagSummary } from "../flags/flag-summary.js";
import { tooDeep } from "../flags/too-deep.js";
import type { AppStore } from "../apps/app-store.js";

/** As text it is read as in an address (`1` is true); as a value it keeps its type (1 is the number). */
const bodySchema = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({
    value: z.union([z.boolean(), z.string(), z.number(), z.record(z.string(), z.json())]),
  }),
]);

/** `/apps/APP/flags`: read, set, remove, and who changed what. */
export function flagsApi(apps: AppStore, flags: FlagStore): Router {
  const router = Router();
  router.get("/apps/:app/flags", async (request, response) => {
    const app = await apps.read(request.params.app);
    const all = [...(await flags.list(app.name))];
    response.json(Object.fromEntries(all.map(([flag, text]) => [flag, flagSummary(text)])));
  });
  router.get("/apps/:app/flags/changes", async (request, response) => {
    const app = await apps.read(request.params.app);
    response.json(await flags.changes(app.name));
  });
  router.put("/apps/:app/flags/:flag", async (request, response) => {
    const { flag } = request.params;
    const body = tooDeep(request.body) ? undefined : bodySchema.safeParse(request.body);
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
    });
  });
  router.delete("/apps/:app/flags/:flag", async (request, response) => {
    const app = await apps.read(request.params.app);
    await flags.unset(app.name, request.params.flag, holderOf(response));
    response.status(204).end();
  });
  return router;
}

/** Whose token it is: the API has looked already. */
function holderOf({ locals }: Response): string {
  return String(locals["holder"]);
}
