import { Router } from "express";
import { webhookRequestSchema, type WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { requireRight } from "../../access/holder.js";
import { controlUrl } from "../../releases/public-url.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import type { SeenHeads } from "../../webhooks/sources/seen-heads.js";
import type { Sources } from "../../webhooks/sources/source.js";
import { shownSource } from "../../webhooks/sources/source-address.js";
import type { Webhook, WebhookStore } from "../../webhooks/webhook-store.js";
import { holderOf } from "../guards/require-token.js";
import { parseBody } from "../requests/parse-body.js";

export interface WebhookApiOptions extends Pick<ApiNeeds, "apps" | "settings"> {
  readonly webhooks: WebhookStore;
  readonly seen: SeenHeads;
  readonly sources: Sources;
}

/** `PUT /apps/APP/webhook`: makes it, or changes what is named. */
export function webhookApi(options: WebhookApiOptions): Router {
  const { apps, settings, webhooks } = options;
  const router = Router();
  router.put("/apps/:app/webhook", needs.app("admin"), async (request, response) => {
    const change = parseBody(webhookRequestSchema, request);
    // A folder of this machine may be another app's.
    if (/^file:/i.test(change.source?.trim() ?? "")) requireRight(holderOf(response), "admin", undefined);
    // Whoever gives an app a webhook wants it to be there before its first push. Deliveries make none.
    const app = await apps.ensure(request.params.app, holderOf(response));
    const webhook = await webhooks.change(app.name, change, holderOf(response));
    const problem = change.source === undefined ? undefined : await lookAtSource(options, webhook);
    response.json({
      ...answerOf(settings, webhook),
      ...(problem === undefined ? {} : { problem }),
    } satisfies WebhookAnswer);
  });
  return router;
}

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

function answerOf(settings: ApiNeeds["settings"], webhook: Webhook): WebhookAnswer {
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
