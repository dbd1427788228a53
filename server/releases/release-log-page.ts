import { Router } from "express";
import { AppError } from "../../core/errors/app-error.js";
import { parseReleaseName } from "../../core/names.js";
import type { LogLinks } from "./log-links.js";
import { writeWhenTaken } from "../../core/async/write-when-taken.js";
import { releaseLogs } from "./release-logs.js";
import type { ReleasesNeeds } from "./needs.js";

const LAST_LINES = 200;

/** `/logs/APP/vN/PROOF`: what the making of a release said, and the last lines of its instances, as plain text. */
export function releaseLogPage(tools: ReleasesNeeds, links: LogLinks): Router {
  const router = Router();
  router.get("/:app/:release/:proof", async (request, response) => {
    const { app, release, proof } = request.params;
    const number = parseReleaseName(release);
    if (number === undefined || !links.holds(app, number, proof))
      throw new AppError("not-found", { path: request.path });
    response.type("text/plain").set("X-Robots-Tag", "noindex");
    const signal = AbortSignal.timeout(30_000);
    await releaseLogs(
      tools,
      app,
      { number, lines: LAST_LINES, follow: false, signal },
      async ({ at, from, text }) =>
        writeWhenTaken(response, `${at === "" ? "" : `${at} `}${from} | ${text}\n`),
    );
    response.end();
  });
  return router;
}
