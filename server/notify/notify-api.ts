import { Router } from "express";
import { z } from "zod";
import { AppError } from "../../core/errors/app-error.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import { productionOf } from "../routes/production-of.js";
import { urlOfRelease } from "../releases/what-serves.js";
import type { Tools } from "../tools.js";
import type { AppEvent } from "../events/app-event.js";
import type { Notifier, Undelivered } from "./notifier.js";
import { eventsSchema, FORMS, type Receiver, type ReceiverStore } from "./receiver-store.js";

/** A receiver, and what it was not told last. */
export interface ReceiverSummary extends Receiver {
  readonly undelivered: Omit<Undelivered, "receiver"> | null;
}

const newReceiverSchema = z.strictObject({
  url: z.string(),
  form: z.enum(FORMS).default("standard"),
  events: eventsSchema.default("all"),
});

/** `/apps/APP/notifications`: who is notified of an app's releases. */
export function notifyApi(
  tools: Pick<Tools, "apps" | "settings" | "clock" | "routes" | "releases">,
  receivers: ReceiverStore,
  notifier: Notifier,
): Router {
  const { apps, settings, clock } = tools;
  const router = Router();
  router.get("/apps/:app/notifications", async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const [all, undelivered] = await Promise.all([receivers.list(name), notifier.undelivered(name)]);
    response.json(all.map((receiver) => withFailure(receiver, undelivered)));
  });
  router.post("/apps/:app/notifications", async (request, response) => {
    const parsed = newReceiverSchema.safeParse(request.body ?? {});
    if (!parsed.success)
      throw new AppError("request-invalid", {
        problem: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
      });
    const { name } = await apps.read(request.params.app);
    response.status(201).json(await receivers.add(name, parsed.data));
  });
  router.post("/apps/:app/notifications/test", async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const { processes = [] } = (await productionOf(tools, name)) ?? {};
    const url = urlOfRelease(settings, { app: name, track: PRODUCTION, processes });
    const told = await notifier.tell(madeUp(name, url, clock.now()));
    if (told === 0) throw new AppError("receivers-none", { app: name });
    response.status(202).json({ app: name, receivers: told });
  });
  router.delete("/apps/:app/notifications/:id", async (request, response) => {
    const { name } = await apps.read(request.params.app);
    await receivers.remove(name, request.params.id);
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

function madeUp(app: string, url: string | undefined, now: number): AppEvent {
  return {
    type: "release.live",
    app,
    release: "v1",
    commit: "0".repeat(40),
    branch: "master",
    track: PRODUCTION,
    at: new Date(now).toISOString(),
    ...(url === undefined ? {} : { url }),
    reason: "This is a test: nothing was released.",
    test: true,
  };
}
