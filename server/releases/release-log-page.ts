import { readFile } from "node:fs/promises";
import { Router } from "express";
import { AppError } from "../../core/errors/app-error.js";
import type { Home } from "../../core/home.js";
import { parseReleaseName } from "../../core/names.js";
import type { LogLinks } from "./log-links.js";

/**
 * `/logs/APP/vN/UNTIL-PROOF`: what was said while a release was made, as plain text; never what its instances write. Throws
 * `log-link-expired`, and `not-found` for any link that is not right.
 */
export function releaseLogPage({ home }: { readonly home: Home }, links: LogLinks): Router {
  const router = Router();
  router.get("/:app/:release/:code", async (request, response) => {
    const { app, release, code } = request.params;
    const number = parseReleaseName(release);
    const verdict = number === undefined ? "wrong" : links.check(app, number, code);
    if (number === undefined || verdict === "wrong") throw new AppError("not-found", { path: request.path });
    if (verdict === "expired") throw new AppError("log-link-expired", { app, release });
    const output = await readFile(home.releaseOutput(app, number), "utf8").catch(() => "");
    response.type("text/plain").set({ "X-Robots-Tag": "noindex", "Cache-Control": "no-store" });
    response.send(publicLines(output));
  });
  return router;
}

const PROBLEM = " !     ";

/**
 * Of each problem the first line alone: what follows may be what an instance has answered or written before it failed. Pure.
 */
export function publicLines(output: string): string {
  const lines = output.split("\n");
  const isProblem = (line: string | undefined): boolean => line?.startsWith(PROBLEM.trimEnd()) === true;
  return lines.filter((line, index) => !isProblem(line) || !isProblem(lines[index - 1])).join("\n");
}
