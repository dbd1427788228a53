import { createHash } from "node:crypto";
import { json, Router, type ErrorRequestHandler, type RequestHandler } from "express";
import { z } from "zod";
import { AppError, isAppError } from "../../core/errors/app-error.js";
import type { Log } from "../../core/log.js";
import { sameSecret } from "../../core/secrets.js";
import { authenticate, type Access } from "../access/authenticate.js";
import { knownApps, requireRight } from "../access/holder.js";
import type { AppStore } from "../apps/app-store.js";
import { evaluate, type EvaluationContext } from "./evaluate.js";
import { readFlag } from "./flag.js";
import type { FlagStore } from "./flag-store.js";

export interface OfrepOptions {
  readonly apps: AppStore;
  readonly access: Access;
  readonly flags: FlagStore;
  readonly log: Log;
}

const SINGLE = "/:app/ofrep/v1/evaluate/flags/:name";
const BULK = "/:app/ofrep/v1/evaluate/flags";

const bodySchema = z.object({ context: z.record(z.string(), z.unknown()).default({}) });

/**
 * The OpenFeature Remote Evaluation Protocol (github.com/open-feature/protocol, service/openapi.yaml): one flag, or all of
 * them. With the app's own token for that, or a token that may read the app, as bearer or `X-API-Key`.
 */
export function ofrep({ apps, access, flags, log }: OfrepOptions): Router {
  const router = Router();
  router.post([SINGLE, BULK], requireReader(apps, access), json({ limit: "64kb", type: () => true }));
  router.post(SINGLE, async (request, response) => {
    const { app, name } = request.params;
    const text = await flags.find(app, name);
    if (text === undefined) {
      const errorDetails = `${app} has no flag ${name}`;
      response.status(404).json({ key: name, errorCode: "FLAG_NOT_FOUND", errorDetails });
      return;
    }
    const evaluation = evaluate(name, readFlag(text), contextOf(request));
    response.status("errorCode" in evaluation ? 400 : 200).json({ key: name, ...evaluation });
  });
  router.post(BULK, async (request, response) => {
    const context = contextOf(request);
    const all = [...(await flags.list(request.params.app))];
    const body = JSON.stringify({
      flags: all.map(([key, text]) => ({ key, ...evaluate(key, readFlag(text), context) })),
    });
    const tag = `"${createHash("sha256").update(body).digest("base64url")}"`;
    response.set("ETag", tag);
    if (isKnown(tag, request.headers["if-none-match"])) response.status(304).end();
    else response.type("json").send(body);
  });
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    if (response.headersSent || isAppError(error, ...UNTOLD)) {
      next(error);
      return;
    }
    const key = /\/evaluate\/flags\/([^/]+)/.exec(request.path)?.[1];
    const { status, errorCode, errorDetails } = problemOf(error);
    if (status === 500 && !isAppError(error))
      log.error({ err: error, path: request.path }, "flag evaluation");
    response.status(status).json({ ...(key === undefined ? {} : { key }), errorCode, errorDetails });
  };
  router.use(onError);
  return router;
}

/** Without a right, or of an app that is not there, nothing is said in the protocol's words. */
const UNTOLD = [
  "unauthorized",
  "credential-expired",
  "attempts-too-many",
  "forbidden",
  "app-unknown",
] as const;

/** Lets pass who may read the app's flags. */
function requireReader(apps: AppStore, access: Access): RequestHandler<{ app: string }> {
  return async (request, _response, next) => {
    const name = request.params.app;
    const app = await apps.find(name);
    // Derived for an app that is not there, too: an answer takes as long then.
    const own = apps.flagsToken(app ?? { name, createdAt: "" });
    const holder = await authenticate(access, request, {
      by: ["apiKey", "bearer", "query"],
      alsoGood: {
        credential: { id: `flags:${name}`, name, scope: { apps: [name], may: "read" }, expiresAt: undefined },
        is: (token) => sameSecret(token, own) && app !== undefined,
      },
    });
    requireRight(holder, "read", name);
    if (app === undefined) throw new AppError("app-unknown", { app: name, known: knownApps(holder.scope) });
    next();
  };
}

/** Throws a ZodError. */
function contextOf(request: { readonly body: unknown }): EvaluationContext {
  return bodySchema.parse(request.body ?? {}).context;
}

/** RFC 9110, section 13.1.2: a list of tags, compared weakly. Proxies on the way may weaken a tag. */
function isKnown(tag: string, known: string | undefined): boolean {
  const tags = (known ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  return tags.includes(tag) || tags.includes("*");
}

interface Problem {
  readonly status: 400 | 500;
  readonly errorCode: "INVALID_CONTEXT" | "GENERAL";
  readonly errorDetails: string;
}

/** 400 and 500 are the protocol's statuses for failures; clients take no others. */
function problemOf(error: unknown): Problem {
  if (error instanceof z.ZodError || isBadBody(error))
    return {
      status: 400,
      errorCode: "INVALID_CONTEXT",
      errorDetails: 'the body must be JSON, {"context": {…}}, of at most 64 kB',
    };
  const errorDetails = isAppError(error) ? error.message : "the flags cannot be read";
  return { status: 500, errorCode: "GENERAL", errorDetails };
}

/** express.json() rejects with an error that carries a 4xx `status`. */
function isBadBody(error: unknown): boolean {
  return (
    error instanceof Error && "status" in error && typeof error.status === "number" && error.status < 500
  );
}
