import { Router } from "express";
import {
  newReceiverSchema,
  type CreatedReceiver,
  type Receiver,
  type ReceiverSummary,
  type TestedReceivers,
} from "../../../core/api/apps/notifications.js";
import { AppError } from "../../../core/errors/app-error.js";
import { PRODUCTION } from "../../../core/records/routes/route-table.js";
import { productionOf } from "../../routes/production-of.js";
import { urlOfRelease } from "../../releases/what-serves.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import type { ApiNeeds } from "../needs.js";
import type { Notifier, Undelivered } from "../../notify/notifier.js";
import type { ReceiverStore } from "../../notify/receiver-store.js";
import { testEvent } from "../../notify/test-event.js";

/** `/apps/APP/notifications`: who is notified of an app's releases. */
export function notificationsApi(
  tools: Pick<ApiNeeds, "apps" | "settings" | "clock" | "routes" | "releases">,
  receivers: ReceiverStore,
  notifier: Notifier,
): Router {
  const { apps, settings, clock } = tools;
  const router = Router();
  router.get("/apps/:app/notifications", needs.app("admin"), async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const [all, undelivered] = await Promise.all([receivers.list(name), notifier.undelivered(name)]);
    response.json(all.map((receiver) => withFailure(receiver, undelivered)) satisfies ReceiverSummary[]);
  });
  router.post("/apps/:app/notifications", needs.app("admin"), async (request, response) => {
    const parsed = newReceiverSchema.safeParse(request.body ?? {});
    if (!parsed.success)
      throw new AppError("request-invalid", {
        problem: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
      });
    const { name } = await apps.read(request.params.app);
    response
      .status(201)
      .json((await receivers.add(name, parsed.data, holderOf(response))) satisfies CreatedReceiver);
  });
  router.post("/apps/:app/notifications/test", needs.app("operate"), async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const { processes = [] } = (await productionOf(tools, name)) ?? {};
    const url = urlOfRelease(settings, { app: name, track: PRODUCTION, processes });
    const told = await notifier.tell(testEvent(name, url, clock.now()));
    if (told === 0) throw new AppError("receivers-none", { app: name });
    response.status(202).json({ app: name, receivers: told } satisfies TestedReceivers);
  });
  router.delete("/apps/:app/notifications/:id", needs.app("admin"), async (request, response) => {
    const { name } = await apps.read(request.params.app);
    await receivers.remove(name, request.params.id, holderOf(response));
    response.status(204).end();
  });
  return router;
}

function withFailure(receiver: Receiver, undelivered: readonly Undelivered[]): ReceiverSummary {
  const last = undelivered.find((one) => one.receiver === receiver.id);
  if (last === undefined) return { ...receiver, undelivered: null };
  const { type, at, reason } = last;
  return { ...receiver, undelivered: { type, at, reason } };
}
