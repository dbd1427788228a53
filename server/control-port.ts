import express, { type ErrorRequestHandler } from "express";
import { AppError, toAppError } from "../core/errors/app-error.js";
import type { Log } from "../core/log.js";
import type { ReplicaBarrier } from "../core/loop/replica-barrier.js";
import { api } from "./api/api.js";
import { onceReplicated } from "./api/guards/once-replicated.js";
import { metrics } from "./api/metrics/metrics.js";
import { releaseLogPage } from "./releases/release-log-page.js";
import { flagToggles } from "./flags/flag-toggles.js";
import { ofrep } from "./flags/ofrep.js";
import type { ServerOptions, ServerParts } from "./assemble.js";
import { problemLines } from "./pipeline/output.js";
import { httpGit } from "./push/http-git.js";
import { receive } from "./webhooks/deliveries/receive.js";

/** Everything on the control port. */
export function controlPort(
  parts: ServerParts,
  { redis, version, fleet }: Pick<ServerOptions, "redis" | "version" | "fleet">,
  barrier: Pick<ReplicaBarrier, "pass">,
): express.Express {
  const { tools, access, flags, desk, logLinks } = parts;
  const { apps, home, log, settings } = tools;
  const app = express();
  app.disable("x-powered-by");
  app.use(onceReplicated(barrier));
  app.get("/healthz", async (_request, response) => {
    const redisAnswers = await redis.ping().then(
      () => true,
      () => false,
    );
    response.status(redisAnswers ? 200 : 503).json({ server: "up", redis: redisAnswers ? "up" : "down" });
  });
  app.get("/metrics", metrics(tools, access, redis));
  app.use("/git", httpGit({ home, access, apps, desk }));
  app.use("/webhooks", receive({ tools, ...parts.webhooks, attempts: access.attempts }));
  app.use("/logs", releaseLogPage(tools, logLinks));
  app.use("/api", api({ ...parts, redis, version, fleet }));
  app.use("/flags", ofrep({ apps, access, flags, log }));
  app.use(flagToggles({ apps, settings, access, flags }));
  app.use((request) => {
    throw new AppError("not-found", { path: request.path });
  });
  app.use(answerError(log));
  return app;
}

/** The flags alone, for apps that reach nothing else of the control port. */
export function flagsPort(
  { tools, access, flags }: ServerParts,
  barrier: Pick<ReplicaBarrier, "pass">,
): express.Express {
  const { apps, log, settings } = tools;
  const app = express();
  app.disable("x-powered-by");
  app.use(onceReplicated(barrier));
  app.use("/flags", ofrep({ apps, access, flags, log }));
  app.use(flagToggles({ apps, settings, access, flags }));
  app.use((request) => {
    throw new AppError("not-found", { path: request.path });
  });
  app.use(answerError(log));
  return app;
}

function answerError(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = bodyParserError(error) ?? toAppError(error);
    const { status, code, message, hint } = problem;
    if (status >= 500) log.error({ err: error, path: request.path }, "request");
    response.status(status);
    if (problem.retryAfterSeconds !== undefined)
      response.set("Retry-After", String(problem.retryAfterSeconds));
    // Git shows the text of an answer; programs read JSON.
    if (request.path.startsWith("/git/"))
      response.type("text/plain").send(`${problemLines(problem).join("\n")}\n`);
    else response.json({ error: { code, message, hint } });
  };
}

/** express.json() rejects with an error that carries a 4xx `status`. */
function bodyParserError(error: unknown): AppError | undefined {
  const isClientError =
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status < 500 &&
    !(error instanceof AppError);
  if (!isClientError) return undefined;
  if (error.status === 413 && "limit" in error)
    return new AppError("request-too-large", { limit: `${Math.round(Number(error.limit) / 1024 ** 2)} MB` });
  return new AppError("request-invalid", { problem: error.message });
}
