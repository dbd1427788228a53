import { json, Router, type NextFunction, type Request, type Response } from "express";
import { z } from "zod";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { parseReleaseName, releaseName } from "../../core/names.js";
import { percentSchema } from "../../core/records/releases/canary-settings.js";
import { isAlert } from "../../core/records/alerts/is-alert.js";
import type { KeyStore } from "../access/key-store.js";
import type { TokenStore } from "../access/token-store.js";
import { canarySummary } from "../canary/canary-summary.js";
import type { CanaryStore } from "../canary/canary-store.js";
import type { FlagStore } from "../flags/flag-store.js";
import { setShare } from "../canary/judging/share.js";
import { promote } from "../pipeline/operations/promote.js";
import { rollback } from "../pipeline/operations/rollback.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { notifyApi } from "../notify/notify-api.js";
import type { Notifier } from "../notify/notifier.js";
import type { ReceiverStore } from "../notify/receiver-store.js";
import type { Tools } from "../tools.js";
import { destroyApp } from "../pipeline/operations/destroy-app.js";
import { releaseLogs } from "../releases/release-logs.js";
import { appSummaries, releaseSummaries } from "./summaries.js";
import { abortByHand } from "./abort-by-hand.js";
import { flagsApi } from "./flags-api.js";
import { alertsApi } from "./alerts-api.js";
import { hostsApi } from "./hosts-api.js";
import { streamLines } from "./ndjson.js";
import { parse, parseBody } from "./parse-body.js";
import { proxiesApi } from "./proxies-api.js";
import { scaleApi } from "./scale-api.js";
import { serverStatus } from "./server-status.js";
import { trafficApi } from "./traffic-api.js";
import { webhookApi, type WebhookApiOptions } from "./webhook-api.js";

export interface ApiOptions {
  readonly tools: Tools;
  readonly redis: Database;
  readonly pipeline: Pipeline;
  readonly tokens: TokenStore;
  readonly keys: KeyStore;
  readonly canaries: CanaryStore;
  readonly webhooks: Omit<WebhookApiOptions, "tools">;
  readonly flags: FlagStore;
  readonly receivers: ReceiverStore;
  readonly notifier: Notifier;
  readonly version: string;
}

/** `/api`: JSON with `Authorization: Bearer TOKEN`. `docs/api.md` lists it. */
export function api(options: ApiOptions): Router {
  const { tools, redis, pipeline, tokens, keys, canaries, webhooks, flags, version } = options;
  const router = Router();
  router.use(requireToken(tokens));
  router.use(json({ limit: "1mb" }));

  router.get("/status", async (_request, response) =>
    response.json(await serverStatus(tools, redis, version)),
  );
  router.get("/apps", async (_request, response) => response.json(await appSummaries(tools)));
  router.delete("/apps/:app", async (request, response) => {
    const unheard = await destroyApp(tools, pipeline, request.params.app);
    if (unheard === undefined) response.status(204).end();
    else response.json({ app: request.params.app, pending: pendingOf(unheard) });
  });
  router.get("/apps/:app/releases", async (request, response) =>
    response.json(await releaseSummaries(tools, request.params.app)),
  );
  router.post("/apps/:app/rollback", async (request, response) => {
    const { release } = parseBody(z.strictObject({ release: z.string().optional() }), request);
    const app = await tools.apps.read(request.params.app);
    // Which ones it can go back to it knows itself.
    const number =
      release === undefined
        ? undefined
        : (parseReleaseName(release) ?? (await knownNumber(tools, app.name, release)));
    await streamLines(response, async (write) => {
      const out = new Output();
      out.watch((line) => write({ line }));
      const record = await rollback(tools, pipeline, app.name, out, {
        signal: new AbortController().signal,
        ...(number === undefined ? {} : { to: number }),
      });
      return { app: record.app, release: releaseName(record.number), commit: record.commit };
    });
  });
  router.get("/apps/:app/canary", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    response.json(await canarySummary(tools, canaries, app.name));
  });
  router.post("/apps/:app/promote", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    await streamLines(response, async (write) => {
      const out = new Output();
      out.watch((line) => write({ line }));
      const record = await promote(tools, pipeline, app.name, out, {
        signal: new AbortController().signal,
      });
      return { app: record.app, release: releaseName(record.number), commit: record.commit };
    });
  });
  router.post("/apps/:app/abort", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    const number = await abortByHand(tools, app.name, String(response.locals["holder"]));
    response.json({ app: app.name, release: releaseName(number) });
  });
  router.put("/apps/:app/weight", async (request, response) => {
    const { percent } = parseBody(z.strictObject({ percent: percentSchema }), request);
    const app = await tools.apps.read(request.params.app);
    const unheard = await setShare(tools, app.name, percent);
    response.json({ app: app.name, percent, alert: await isAlert(redis), pending: pendingOf(unheard) });
  });
  router.get("/apps/:app/logs", async (request, response) => {
    const query = parse(logQuerySchema, request.query);
    const app = await tools.apps.read(request.params.app);
    const number =
      query.release === undefined ? undefined : await knownNumber(tools, app.name, query.release);
    await streamLines(response, async (write, signal) => {
      await releaseLogs(tools, app.name, { number, lines: query.lines, follow: query.follow, signal }, write);
      return {};
    });
  });
  router.get("/apps/:app/config", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    response.json(await tools.config.read(app.name));
  });
  router.patch("/apps/:app/config", async (request, response) => {
    const body = parseBody(
      z.strictObject({
        set: z.record(z.string(), z.string()).default({}),
        unset: z.array(z.string()).default([]),
      }),
      request,
    );
    const app = await tools.apps.ensure(request.params.app);
    await tools.config.change(app.name, body.set, body.unset);
    response.json(await tools.config.read(app.name));
  });

  router.use(scaleApi(tools, pipeline));
  router.use(trafficApi(tools));
  router.use(webhookApi({ tools, ...webhooks }));
  router.use(flagsApi(tools.apps, flags));
  router.use(notifyApi(tools, options.receivers, options.notifier));
  router.use(proxiesApi(tools));
  router.use(hostsApi({ redis, clock: tools.clock, settings: tools.settings }));
  router.use(alertsApi(redis));

  router.get("/tokens", async (_request, response) => response.json(await tokens.list()));
  router.post("/tokens", async (request, response) => {
    const { name } = parseBody(z.strictObject({ name: z.string() }), request);
    response.status(201).json(await tokens.create(name));
  });
  router.delete("/tokens/:id", async (request, response) => {
    await tokens.remove(request.params.id);
    response.status(204).end();
  });
  router.get("/keys", async (_request, response) => response.json(await keys.list()));
  router.post("/keys", async (request, response) => {
    const { key } = parseBody(z.strictObject({ key: z.string().max(16_384) }), request);
    response.status(201).json(await keys.add(key));
  });
  router.delete("/keys/:id", async (request, response) => {
    await keys.remove(request.params.id);
    response.status(204).end();
  });
  return router;
}

const logQuerySchema = z.object({
  release: z.string().optional(),
  lines: z.coerce.number().int().min(0).max(10_000).default(100),
  follow: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true"),
});

function requireToken(tokens: TokenStore) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const [scheme, token = ""] = (request.headers.authorization ?? "").split(" ");
    const holder = scheme?.toLowerCase() === "bearer" ? await tokens.holder(token) : undefined;
    if (holder === undefined) throw new AppError("unauthorized", {});
    response.locals["holder"] = holder;
    next();
  };
}

/** What is done, but not yet everywhere: which proxy does not follow, and what to do about it. */
export interface Pending {
  readonly message: string;
  readonly hint: string;
}

function pendingOf(unheard: AppError | undefined): Pending | null {
  return unheard === undefined ? null : { message: unheard.message, hint: unheard.hint };
}

/** `v42` → 42, if the app has that release. Throws `release-unknown`. */
async function knownNumber(tools: Tools, app: string, release: string): Promise<number> {
  const number = parseReleaseName(release);
  if (number !== undefined && (await tools.releases.find(app, number)) !== undefined) return number;
  const known = (await tools.releases.list(app)).map((record) => releaseName(record.number)).slice(0, 10);
  throw new AppError("release-unknown", { app, release, known });
}
