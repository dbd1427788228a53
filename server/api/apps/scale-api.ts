import { Router } from "express";
import { scaleRequestSchema, type Scaled, type ScaleSummary } from "../../../core/api/apps/scale.js";
import { AppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { scaleProduction } from "../../pipeline/operations/scale.js";
import { productionOf } from "../../routes/production-of.js";
import type { Tools } from "../../tools.js";
import { streamWork } from "../requests/stream-work.js";
import { holderOf } from "../require-token.js";
import { parseBody } from "../requests/parse-body.js";

/** `GET` and `PUT /apps/APP/scale`. */
export function scaleApi(tools: Tools, pipeline: Pipeline): Router {
  const router = Router();
  router.get("/apps/:app/scale", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    response.json((await scaleSummary(tools, app.name)) satisfies ScaleSummary);
  });
  router.put("/apps/:app/scale", async (request, response) => {
    const wanted = parseBody(scaleRequestSchema, request);
    if (Object.keys(wanted).length === 0)
      throw new AppError("request-invalid", { problem: 'the body must be like {"web": 3}' });
    const app = await tools.apps.read(request.params.app);
    const by = holderOf(response);
    await streamWork<Scaled>(response, async (out, signal) => {
      const order = { app: app.name, wanted, by, reason: "asked for", signal };
      const record = await scaleProduction(pipeline, order, out);
      const sizes = record.processes.map(({ name, quantity }) => [name, quantity] as const);
      return { app: app.name, release: releaseName(record.number), processes: Object.fromEntries(sizes) };
    });
  });
  return router;
}

async function scaleSummary(tools: Tools, app: string): Promise<ScaleSummary> {
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
