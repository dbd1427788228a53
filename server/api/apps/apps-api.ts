import { Router } from "express";
import type { AppSummary, DestroyedApp } from "../../../core/api/apps/apps.js";
import { destroyApp } from "../../pipeline/operations/destroy-app.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { holderOf } from "../guards/require-token.js";
import { pendingOf } from "../requests/pending-of.js";
import { appSummaries } from "../summaries/app-summaries.js";

/** `GET /apps`, `DELETE /apps/APP`. */
export function appsApi(tools: ApiNeeds, pipeline: Pipeline): Router {
  const router = Router();
  router.get("/apps", needs.any("read"), async (_request, response) =>
    response.json((await appSummaries(tools, holderOf(response).scope)) satisfies AppSummary[]),
  );
  router.delete("/apps/:app", needs.app("admin"), async (request, response) => {
    const { app } = request.params;
    const unheard = await destroyApp(pipeline, app, holderOf(response));
    if (unheard === undefined) response.status(204).end();
    else response.json({ app, pending: pendingOf(unheard) } satisfies DestroyedApp);
  });
  return router;
}
