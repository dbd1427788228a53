import { Router } from "express";
import {
  silenceRequestSchema,
  type AlertsSummary,
  type AlertSummary,
} from "../../../core/api/machines/alerts.js";
import { AppError } from "../../../core/errors/app-error.js";
import { AlertRecords } from "../../../core/records/alerts/alert-records.js";
import { redisTime } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { needs } from "../guards/needs.js";
import { holderOf } from "../guards/require-token.js";
import { alertsSummary, alertSummary } from "../summaries/alerts-summary.js";

/** `GET /alerts`, `POST /alerts/ID/ack`, `POST /alerts/ID/silence`. */
export function alertsApi(redis: Database): Router {
  const alerts = new AlertRecords(redis);
  const router = Router();
  router.get("/alerts", needs.all("read"), async (_request, response) =>
    response.json((await alertsSummary(redis, alerts)) satisfies AlertsSummary),
  );
  router.post("/alerts/:id/ack", needs.all("operate"), async (request, response) => {
    const { by, from } = holderOf(response);
    const alert = await alerts.acknowledge(request.params.id, by, await redisTime(redis), from);
    response.json(alertSummary(alert, undefined) satisfies AlertSummary);
  });
  router.post("/alerts/:id/silence", needs.all("admin"), async (request, response) => {
    const parsed = silenceRequestSchema.safeParse(request.body);
    if (!parsed.success)
      throw new AppError("request-invalid", { problem: "minutes: must be a number from 1 to 43200" });
    const at = await redisTime(redis);
    const { by, from } = holderOf(response);
    const silence = { by, at, until: at + parsed.data.minutes * 60_000 };
    const alert = await alerts.silence(request.params.id, silence, from);
    response.json(alertSummary(alert, silence) satisfies AlertSummary);
  });
  return router;
}
