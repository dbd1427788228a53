import { Router } from "express";
import { z } from "zod";
import { AppError } from "../../core/errors/app-error.js";
import { releaseName } from "../../core/names.js";
import type { ScaleDecision } from "../../core/records/scaling/scale-decisions.js";
import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { scaleProduction } from "../pipeline/operations/scale.js";
import { productionOf } from "../routes/production-of.js";
import type { Tools } from "../tools.js";
import { streamLines } from "./ndjson.js";
import { parseBody } from "./parse-body.js";

/** How many instances production has, and what was decided about it. */
export interface ScaleSummary {
  readonly app: string;
  readonly release: string | null;
  readonly processes: readonly {
    readonly process: string;
    readonly quantity: number;
    readonly running: number;
  }[];
  /** What app.json asks of the autoscaler; null: it leaves the app alone. */
  readonly autoscaler: ScaleSettings | null;
  /** Newest first. */
  readonly decisions: readonly Omit<ScaleDecision, "v">[];
}

const wantedSchema = z.record(z.string(), z.number().int().min(0).max(100));

/** `GET` and `PUT /apps/APP/scale`. */
export function scaleApi(tools: Tools, pipeline: Pipeline): Router {
  const router = Router();
  router.get("/apps/:app/scale", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    response.json(await scaleSummary(tools, app.name));
  });
  router.put("/apps/:app/scale", async (request, response) => {
    const wanted = parseBody(wantedSchema, request);
    if (Object.keys(wanted).length === 0)
      throw new AppError("request-invalid", { problem: 'the body must be like {"web": 3}' });
    const app = await tools.apps.read(request.params.app);
    const by = String(response.locals["holder"]);
    await streamLines(response, async (write) => {
      const out = new Output();
      out.watch((line) => write({ line }));
      const { signal } = new AbortController();
      const order = { app: app.name, wanted, by, reason: "asked for", signal };
      const record = await scaleProduction(tools, pipeline, order, out);
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
