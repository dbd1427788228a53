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
import { holderOf } from "../require-token.js";
import { alertsSummary, alertSummary } from "../summaries/alerts-summary.js";

/** `GET /alerts`, `POST /alerts/ID/ack`, `POST /alerts/ID/silence`. */
export function alertsApi(redis: Database): Router {
  const alerts = new AlertRecords(redis);
  const router = Router();
  router.get("/alerts", async (_request, response) =>
    response.json((await alertsSummary(redis, alerts)) satisfies AlertsSummary),
  );
  router.post("/alerts/:id/ack", async (request, response) => {
    const alert = await alerts.acknowledge(request.params.id, holderOf(response), await redisTime(redis));
    response.json(alertSummary(alert, undefined) satisfies AlertSummary);
  });
  router.post("/alerts/:id/silence", async (request, response) => {
    const parsed = silenceRequestSchema.safeParse(request.body);
    if (!parsed.success)
      throw new AppError("request-invalid", { problem: "minutes: must be a number from 1 to 43200" });
    const at = await redisTime(redis);
    const silence = { by: holderOf(response), at, until: at + parsed.data.minutes * 60_000 };
    const alert = await alerts.silence(request.params.id, silence);
    response.json(alertSummary(alert, silence) satisfies AlertSummary);
  });
  return router;
}
