import { raw, Router, type NextFunction, type Request, type Response } from "express";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { branchOfRef } from "../../../core/names.js";
import { originOf } from "../../access/origin.js";
import type { WrongAttempts } from "../../access/wrong-attempts.js";
import type { WebhooksNeeds } from "../needs.js";
import type { DeliveryRecord } from "./delivery-record.js";
import type { DeliveryStore } from "./delivery-store.js";
import { bodiesInMemory, LARGEST_BODY_BYTES } from "./bodies-in-memory.js";
import type { BranchUpdate, Forge, Incoming, Reading } from "../forges/forge.js";
import { forgeOf } from "../forges/forge-of.js";
import { matchesBranch } from "../matches-branch.js";
import type { Webhook, WebhookStore } from "../webhook-store.js";

export interface ReceiveOptions {
  readonly tools: Pick<WebhooksNeeds, "apps" | "clock" | "log">;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly attempts: WrongAttempts;
}

/** In the form that every forge takes; a new one at each start. */
const NOBODYS_SECRET = `whsec_${randomBytes(32).toString("base64")}`;
/** A sender that takes longer has gone. */
const BODY_TIMEOUT_MS = 60_000;

/**
 * `POST /webhooks/APP`: 202 `{delivery, number, queued}` once it is stored, 200 `{duplicate}`, 204 nothing to do; 400, 401 (also
 * for an app that is not there), 413, 429, 503. What is done about it comes later.
 */
export function receive(options: ReceiveOptions): Router {
  const router = Router();
  const body = raw({ type: () => true, limit: LARGEST_BODY_BYTES, inflate: false });
  router.post("/:app", bodyInTime(), bodiesInMemory(), body, async (request, response) => {
    const app = request.params.app;
    const bytes: unknown = request.body;
    const incoming = { headers: request.headers, body: Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0) };
    await take(options, app, originOf(request.socket), incoming, response);
  });
  return router;
}

function bodyInTime() {
  return (request: Request<{ app: string }>, _response: Response, next: NextFunction): void => {
    request.setTimeout(BODY_TIMEOUT_MS, () => request.destroy());
    next();
  };
}

async function take(
  options: ReceiveOptions,
  app: string,
  by: string,
  incoming: Incoming,
  response: Response,
): Promise<void> {
  const { tools, webhooks, deliveries, attempts } = options;
  const now = tools.clock.now();
  const host = forgeOf(incoming.headers);
  const webhook = await webhooks.find(app);
  const came = {
    at: new Date(now).toISOString(),
    from: host.name,
    by,
    event: host.event(incoming.headers),
  };
  const note = (answer: number, reason: string): void => {
    deliveries
      .noteRefused(app, { ...came, answer, reason })
      .catch((error: unknown) => tools.log.debug({ err: error, app }, "could not record a refused delivery"));
  };
  const refusal = refusalOf(host, incoming, webhook, now);
  if (refusal !== undefined || webhook === undefined) {
    // Nothing is stored for an app that does not exist. The answer is the same: a client without the secret must not learn
    // which apps exist.
    const isKnown = webhook !== undefined || (await tools.apps.find(app)) !== undefined;
    if (isKnown && !attempts.isPaused(by)) note(401, refusal ?? "");
    await attempts.add(by);
    throw new AppError("webhook-refused", {});
  }
  const { updates, reason } = wanted(readOrNote(host, incoming, note), webhook);
  const record: DeliveryRecord = {
    v: 1,
    ...{ ...came, origin: by },
    id: host.deliveryId(incoming.headers) ?? randomUUID(),
    answer: updates.length === 0 ? 204 : 202,
    state: updates.length === 0 ? "done" : "waiting",
    updates,
    body: createHash("sha256").update(incoming.body).digest("hex"),
    results: [],
    ...(reason === undefined ? {} : { reason }),
  };
  if (webhook.host !== host.name) await webhooks.noteHost(app, host.name);
  const number = await deliveries.accept(app, record, now);
  if (number === "gone") throw new AppError("app-unknown", { app, known: [] });
  if (number === "duplicate") response.status(200).json({ duplicate: true });
  else if (updates.length === 0) response.status(204).end();
  else response.status(202).json({ delivery: record.id, number, queued: true });
}

function refusalOf(
  host: Forge,
  incoming: Incoming,
  webhook: Webhook | undefined,
  now: number,
): string | undefined {
  // Checked without a webhook, too, so that the answer takes as long.
  const refusal = host.refusal(incoming, webhook?.secret ?? NOBODYS_SECRET, now);
  return webhook === undefined ? "the app has no webhook: `sluice webhook APP` creates one" : refusal;
}

function readOrNote(
  host: Forge,
  incoming: Incoming,
  note: (answer: number, reason: string) => void,
): Reading {
  try {
    return host.read(incoming);
  } catch (error) {
    if (isAppError(error, "webhook-malformed")) note(error.status, error.message);
    throw error;
  }
}

/** What of a delivery deploys here, or why nothing does. */
function wanted(
  reading: Reading,
  webhook: Webhook,
): { updates: DeliveryRecord["updates"]; reason: string | undefined } {
  if (reading.kind === "nothing") return { updates: [], reason: reading.why };
  const updates = reading.updates.filter((update) => isWanted(update, webhook));
  const reason = updates.length === 0 ? "none of its branches is deployed here" : undefined;
  return {
    updates: updates.map(({ branch, commit }) => ({ branch, ...(commit === undefined ? {} : { commit }) })),
    reason,
  };
}

function isWanted({ branch }: BranchUpdate, webhook: Webhook): boolean {
  return branchOfRef(`refs/heads/${branch}`) === branch && matchesBranch(webhook, branch);
}
