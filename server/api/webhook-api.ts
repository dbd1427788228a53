import { randomUUID } from "node:crypto";
import { Router } from "express";
import { z } from "zod";
import { AppError } from "../../core/errors/app-error.js";
import { controlUrl } from "../releases/public-url.js";
import type { Tools } from "../tools.js";
import type { DeliveryRecord } from "../webhooks/deliveries/delivery-record.js";
import type { Delivery, DeliveryStore } from "../webhooks/deliveries/delivery-store.js";
import type { SeenHeads } from "../webhooks/sources/seen-heads.js";
import type { Sources } from "../webhooks/sources/source.js";
import { shownSource } from "../webhooks/sources/source-address.js";
import type { Webhook, WebhookStore } from "../webhooks/webhook-store.js";
import { parseBody } from "./parse-body.js";

export interface WebhookApiOptions {
  readonly tools: Tools;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly seen: SeenHeads;
  readonly sources: Sources;
}

/** What `sluice webhook` shows. */
export interface WebhookAnswer {
  readonly app: string;
  /** To paste into the forge. */
  readonly url: string;
  readonly secret: string;
  /** A line to add to the repository as a deploy key (reading is enough). */
  readonly deployKey: string;
  readonly source: string | null;
  readonly branches: readonly string[];
  /** Whether there is a token with which the host is told what became of a commit. */
  readonly reportsBack: boolean;
  /** Why the source cannot be read yet. */
  readonly problem?: string;
}

/** What `sluice deliveries` shows: those that were taken and those that were not, newest first. */
export type DeliveryAnswer = Omit<DeliveryRecord, "v" | "state"> & {
  /** Null for one that was refused. */
  readonly number: number | null;
  readonly state: DeliveryRecord["state"] | "refused";
};

const SHOWN = 200;

/** `/apps/:app/webhook` and `/apps/:app/deliveries`, below `/api`. */
export function webhookApi(options: WebhookApiOptions): Router {
  const { tools, webhooks, deliveries } = options;
  const router = Router();
  router.put("/apps/:app/webhook", async (request, response) => {
    const change = parseBody(changeSchema, request);
    // Whoever gives an app a webhook wants it to be there before its first push. Deliveries make none.
    const app = await tools.apps.ensure(request.params.app);
    const webhook = await webhooks.change(app.name, change);
    const problem = change.source === undefined ? undefined : await lookAtSource(options, webhook);
    response.json({ ...answerOf(tools, webhook), ...(problem === undefined ? {} : { problem }) });
  });
  router.get("/apps/:app/deliveries", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    const taken = (await deliveries.list(app.name)).map(shown);
    const refused = (await deliveries.refused(app.name)).map((delivery): DeliveryAnswer => ({
      ...delivery,
      id: "",
      number: null,
      state: "refused",
      updates: [],
      results: [],
    }));
    const all = [...taken, ...refused].sort((a, b) => b.at.localeCompare(a.at));
    response.json(all.slice(0, SHOWN));
  });
  router.post("/apps/:app/deliveries/:number/replay", async (request, response) => {
    const app = await tools.apps.read(request.params.app);
    const past = await deliveries.find(app.name, Number(request.params.number));
    if (past === undefined)
      throw new AppError("delivery-unknown", { app: app.name, number: request.params.number });
    const now = tools.clock.now();
    const record = replayOf(past, String(response.locals["holder"]), now);
    const number = await deliveries.accept(app.name, record, now);
    if (number === "gone") throw new AppError("app-unknown", { app: app.name, known: [] });
    response.status(202).json({ number });
  });
  return router;
}

const changeSchema = z.strictObject({
  source: z.string().optional(),
  statusToken: z.string().max(4096).optional(),
  branches: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9._/-]{1,100}\*?$/, "must be a branch's name, or its beginning with a * behind"),
    )
    .max(100)
    .optional(),
});

/** What the source has now deploys with its next push; why it cannot be read, when it cannot. */
async function lookAtSource(
  { sources, seen }: WebhookApiOptions,
  webhook: Webhook,
): Promise<string | undefined> {
  await seen.forget(webhook.app);
  try {
    await seen.begin(webhook.app, await sources.heads(webhook, AbortSignal.timeout(15_000)));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function answerOf({ settings }: Pick<Tools, "settings">, webhook: Webhook): WebhookAnswer {
  const { app, secret, publicKey, source, branches, statusToken } = webhook;
  return {
    app,
    url: `${controlUrl(settings)}/webhooks/${app}`,
    secret,
    deployKey: publicKey.trim(),
    source: source === undefined ? null : shownSource(source),
    branches,
    reportsBack: statusToken !== undefined,
  };
}

function shown(delivery: Delivery): DeliveryAnswer {
  return delivery;
}

function replayOf({ event, updates }: Delivery, by: string, now: number): DeliveryRecord {
  const at = new Date(now).toISOString();
  const state = updates.length === 0 ? "done" : "waiting";
  return { v: 1, id: randomUUID(), at, from: "replay", by, event, answer: 202, state, updates, results: [] };
}
