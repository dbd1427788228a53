import { Router } from "express";
import { scaleRequestSchema, type Scaled, type ScaleSummary } from "../../../core/api/apps/scale.js";
import { AppError } from "../../../core/errors/app-error.js";
import { actorOf } from "../../../core/records/events/actor.js";
import { releaseName } from "../../../core/names.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { scaleProduction } from "../../pipeline/operations/scale.js";
import { productionOf } from "../../routes/production-of.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { streamWork } from "../requests/stream-work.js";
import { holderOf } from "../guards/require-token.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `PUT /apps/APP/scale`. */
export function scaleApi(tools: ApiNeeds, pipeline: Pipeline): Router {
  const router = Router();
  router.get("/apps/:app/scale", needs.app("read"), async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    response.json((await scaleSummary(tools, app.name)) satisfies ScaleSummary);
  });
  router.put("/apps/:app/scale", needs.app("operate"), async (request, response) => {
    const wanted = parseBody(scaleRequestSchema, request);
    if (Object.keys(wanted).length === 0)
      throw new AppError("request-invalid", { problem: 'the body must be like {"web": 3}' });
    const app = await tools.apps.read(request.params.app);
    const actor = actorOf(holderOf(response));
    await streamWork<Scaled>(response, async (out, signal) => {
      const order = { ...actor, app: app.name, wanted, reason: "requested", signal };
      const record = await scaleProduction(pipeline, order, out);
      const sizes = record.processes.map(({ name, quantity }) => [name, quantity] as const);
      return { app: app.name, release: releaseName(record.number), processes: Object.fromEntries(sizes) };
    });
  });
  return router;
}

async function scaleSummary(tools: ApiNeeds, app: string): Promise<ScaleSummary> {
  const [record, states, decisions] = await Promise.all([
    productionOf(tools, app),
    tools.engine.list(),
    tools.scaleDecisions.list(app),
  ]);
  const running = new Set(states.filter((state) => state.running).map(({ id }) => id));
  return {
    app,
    release: record === undefined ? null : releaseName(record.number),
    processes: (record?.processes ?? []).map(({ name, quantity }) => ({
      process: name,
      quantity,
      running: (record?.instances ?? []).filter(({ id, process }) => process === name && running.has(id))
        .length,
    })),
    autoscaler: record?.scale ?? null,
    decisions: decisions.map(({ at, by, process, from, to, reason, outcome }) => ({
      ...{ at, by, process, from, to, reason, outcome },
    })),
  };
}
