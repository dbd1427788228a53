import { randomUUID } from "node:crypto";
import { Router } from "express";
import type { DeliveryAnswer, ReplayedDelivery } from "../../../core/api/apps/deliveries.js";
import { AppError } from "../../../core/errors/app-error.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import type { Holder } from "../../access/holder.js";
import type { DeliveryRecord } from "../../webhooks/deliveries/delivery-record.js";
import type { Delivery, DeliveryStore } from "../../webhooks/deliveries/delivery-store.js";
import { holderOf } from "../guards/require-token.js";

const SHOWN = 200;

/** `GET /apps/APP/deliveries`: those that were taken and those that were not; `POST /apps/APP/deliveries/N/replay`. */
export function deliveriesApi(
  { apps, clock }: Pick<ApiNeeds, "apps" | "clock">,
  deliveries: DeliveryStore,
): Router {
  const router = Router();
  router.get("/apps/:app/deliveries", needs.app("read"), async (request, response) => {
    const app = await apps.read(request.params.app);
    const taken: DeliveryAnswer[] = await deliveries.list(app.name);
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
  router.post("/apps/:app/deliveries/:number/replay", needs.app("push"), async (request, response) => {
    const app = await apps.read(request.params.app);
    const past = await deliveries.find(app.name, Number(request.params.number));
    if (past === undefined)
      throw new AppError("delivery-unknown", { app: app.name, number: request.params.number });
    const now = clock.now();
    const number = await deliveries.accept(app.name, replayOf(past, holderOf(response), now), now);
    // One of a new id is no duplicate.
    if (typeof number !== "number") throw new AppError("app-unknown", { app: app.name, known: [] });
    response.status(202).json({ number } satisfies ReplayedDelivery);
  });
  return router;
}

function replayOf({ event, updates }: Delivery, { by, from: origin }: Holder, now: number): DeliveryRecord {
  const at = new Date(now).toISOString();
  const state = updates.length === 0 ? "done" : "waiting";
  const what = { event, answer: 202, updates, results: [] };
  return { v: 1, id: randomUUID(), at, from: "replay", by, origin, state, ...what };
}
