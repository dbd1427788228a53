import { Router } from "express";
import {
  rollbackRequestSchema,
  type ReleaseSummary,
  type ServingRelease,
} from "../../../core/api/apps/releases.js";
import { parseReleaseName, releaseName } from "../../../core/names.js";
import { rollback } from "../../pipeline/operations/rollback.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { knownRelease } from "../requests/known-release.js";
import { parseBody } from "../requests/parse-body.js";
import { streamWork } from "../requests/stream-work.js";
import { holderOf } from "../guards/require-token.js";
import { releaseSummaries } from "../summaries/release-summaries.js";

/** `GET /apps/APP/releases`, `POST /apps/APP/rollback`. */
export function releasesApi(tools: ApiNeeds, pipeline: Pipeline): Router {
  const router = Router();
  router.get("/apps/:app/releases", needs.app("read"), async (request, response) =>
    response.json((await releaseSummaries(tools, request.params.app)) satisfies ReleaseSummary[]),
  );
  router.post("/apps/:app/rollback", needs.app("operate"), async (request, response) => {
    const { release } = parseBody(rollbackRequestSchema, request);
    const app = await tools.apps.read(request.params.app);
    // Which ones it can go back to it knows itself.
    const to =
      release === undefined
        ? undefined
        : (parseReleaseName(release) ?? (await knownRelease(tools.releases, app.name, release)));
    const actor = holderOf(response);
    await streamWork<ServingRelease>(response, async (out, signal) => {
      const options = { signal, actor, ...(to === undefined ? {} : { to }) };
      const record = await rollback(pipeline, app.name, out, options);
      return { app: record.app, release: releaseName(record.number), commit: record.commit };
    });
  });
  return router;
}
