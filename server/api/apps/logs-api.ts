import { Router } from "express";
import { logQuerySchema } from "../../../core/api/apps/logs.js";
import { accessLogs } from "../../releases/access-logs.js";
import { releaseLogs } from "../../releases/release-logs.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { knownRelease } from "../requests/known-release.js";
import { parse } from "../requests/parse-body.js";
import { streamLines } from "../requests/stream-lines.js";

/** `GET /apps/APP/logs?release&lines&follow&access` */
export function logsApi(tools: ApiNeeds): Router {
  const router = Router();
  router.get("/apps/:app/logs", needs.app("read"), async (request, response) => {
    const { release, lines, follow, access } = parse(logQuerySchema, request.query);
    const { name } = await tools.apps.read(request.params.app);
    const number = release === undefined ? undefined : await knownRelease(tools.releases, name, release);
    await streamLines(response, async (write, signal) => {
      if (access) await accessLogs(tools.home, name, { lines, follow, signal }, write);
      else await releaseLogs(tools, name, { number, lines, follow, signal }, write);
      return {};
    });
  });
  return router;
}
