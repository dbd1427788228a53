import { Router } from "express";
import {
  weightRequestSchema,
  type AbortedCanary,
  type CanarySummary,
  type Weight,
} from "../../../core/api/apps/canary.js";
import type { ServingRelease } from "../../../core/api/apps/releases.js";
import { releaseName } from "../../../core/names.js";
import { isAlert } from "../../../core/records/alerts/is-alert.js";
import type { Database } from "../../../core/redis/database.js";
import type { CanaryStore } from "../../canary/canary-store.js";
import { canarySummary } from "../../canary/canary-summary.js";
import { abortByHand } from "../../canary/judging/abort-by-hand.js";
import { setShare } from "../../canary/judging/share.js";
import { promote } from "../../pipeline/operations/promote.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { parseBody } from "../requests/parse-body.js";
import { pendingOf } from "../requests/pending-of.js";
import { streamWork } from "../requests/stream-work.js";
import { holderOf } from "../guards/require-token.js";

export interface CanaryApiOptions {
  readonly tools: ApiNeeds;
  readonly pipeline: Pipeline;
  readonly canaries: CanaryStore;
  readonly redis: Database;
}

/** `GET /apps/APP/canary`, `POST /apps/APP/promote`, `POST /apps/APP/abort`, `PUT /apps/APP/weight`. */
export function canaryApi({ tools, pipeline, canaries, redis }: CanaryApiOptions): Router {
  const router = Router();
  router.get("/apps/:app/canary", needs.app("read"), async (request, response) => {
    const { name } = await tools.apps.read(request.params.app);
    response.json((await canarySummary(tools, canaries, name)) satisfies CanarySummary);
  });
  router.post("/apps/:app/promote", needs.app("operate"), async (request, response) => {
    const { name } = await tools.apps.read(request.params.app);
    const actor = holderOf(response);
    await streamWork<ServingRelease>(response, async (out, signal) => {
      const record = await promote(pipeline, name, out, { signal, actor });
      return { app: record.app, release: releaseName(record.number), commit: record.commit };
    });
  });
  router.post("/apps/:app/abort", needs.app("operate"), async (request, response) => {
    const { name } = await tools.apps.read(request.params.app);
    const number = await abortByHand(tools, name, holderOf(response));
    response.json({ app: name, release: releaseName(number) } satisfies AbortedCanary);
  });
  router.put("/apps/:app/weight", needs.app("operate"), async (request, response) => {
    const { percent } = parseBody(weightRequestSchema, request);
    const { name } = await tools.apps.read(request.params.app);
    const unheard = await setShare(tools, name, percent, holderOf(response));
    const pending = unheard === undefined ? null : pendingOf(unheard);
    response.json({ app: name, percent, alert: await isAlert(redis), pending } satisfies Weight);
  });
  return router;
}
