import { Router } from "express";
import type { AppSummary, DestroyedApp } from "../../../core/api/apps/apps.js";
import { destroyApp } from "../../pipeline/operations/destroy-app.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import type { Tools } from "../../tools.js";
import { pendingOf } from "../requests/pending-of.js";
import { appSummaries } from "../summaries/app-summaries.js";

/** `GET /apps`, `DELETE /apps/APP`. */
export function appsApi(tools: Tools, pipeline: Pipeline): Router {
  const router = Router();
  router.get("/apps", async (_request, response) =>
    response.json((await appSummaries(tools)) satisfies AppSummary[]),
  );
  router.delete("/apps/:app", async (request, response) => {
    const { app } = request.params;
    const unheard = await destroyApp(pipeline, app);
    if (unheard === undefined) response.status(204).end();
    else response.json({ app, pending: pendingOf(unheard) } satisfies DestroyedApp);
  });
  return router;
}
