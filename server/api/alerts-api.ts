import { Router, type Response } from "express";
import { z } from "zod";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { JobQueue } from "../../core/outbox/job-queue.js";
import { ALERT_OUTBOX, noticeJobSchema } from "../../core/records/alerts/alert-notice.js";
import { subjectOf, type AlertRecord, type Silence } from "../../core/records/alerts/alert-record.js";
import { AlertRecords } from "../../core/records/alerts/alert-records.js";
import { drainSchema, type Drain } from "../../core/records/alerts/drain.js";
import { redisTime } from "../../core/redis/connection.js";
import { keys } from "../../core/redis/keys.js";

/** An alert as `GET /alerts` shows it. Times are ISO 8601. */
export interface AlertSummary {
  readonly id: string;
  readonly rule: string;
  readonly host: string;
  readonly text: string;
  readonly actions: readonly string[];
  readonly phase: AlertRecord["phase"];
  readonly raisedAt: string;
  readonly resolvedAt: string | null;
  readonly reminders: number;
  readonly worst: number;
  /** Who has seen it. */
  readonly acknowledgedBy: string | null;
  readonly silencedUntil: string | null;
}

/** A notice that somebody did not get, and will not. */
export interface UndeliveredNotice {
  /** `email`, `webhook`, `slack` */
  readonly sender: string;
  readonly to: string;
  readonly alert: string;
  readonly turn: string;
  /** When it was given up; ISO 8601. */
  readonly at: string;
  readonly reason: string;
}

export interface AlertsSummary {
  /** Oldest first. */
  readonly lasting: readonly AlertSummary[];
  /** Newest first. */
  readonly past: readonly AlertSummary[];
  /** Why every canary is out of the traffic, where the monitor did it. */
  readonly drain: Omit<Drain, "v"> | null;
  /** Newest first. */
  readonly undelivered: readonly UndeliveredNotice[];
}

const MOST_PAST = 50;
const silenceSchema = z.strictObject({
  minutes: z
    .number()
    .min(1)
    .max(30 * 24 * 60),
});

/** `GET /alerts`, `POST /alerts/ID/ack`, `POST /alerts/ID/silence`. */
export function alertsApi(redis: Database): Router {
  const alerts = new AlertRecords(redis);
  const router = Router();
  router.get("/alerts", async (_request, response) => response.json(await summaryOf(redis, alerts)));
  router.post("/alerts/:id/ack", async (request, response) => {
    const alert = await alerts.acknowledge(request.params.id, holderOf(response), await redisTime(redis));
    response.json(alertSummary(alert, undefined));
  });
  router.post("/alerts/:id/silence", async (request, response) => {
    const parsed = silenceSchema.safeParse(request.body);
    if (!parsed.success)
      throw new AppError("request-invalid", { problem: "minutes: must be a number from 1 to 43200" });
    const at = await redisTime(redis);
    const silence = { by: holderOf(response), at, until: at + parsed.data.minutes * 60_000 };
    response.json(alertSummary(await alerts.silence(request.params.id, silence), silence));
  });
  return router;
}

/** Whose token it is. */
function holderOf({ locals }: Response): string {
  return String(locals["holder"]);
}

async function summaryOf(redis: Database, alerts: AlertRecords): Promise<AlertsSummary> {
  const [current, past, acknowledgements, silences, drain, undelivered] = await Promise.all([
    alerts.current(),
    alerts.past(MOST_PAST),
    alerts.acknowledgements(),
    alerts.silences(await redisTime(redis)),
    redis.get(keys.monitorDrain),
    undeliveredNotices(redis),
  ]);
  const shown = (alert: AlertRecord): AlertSummary => {
    const acknowledged = alert.acknowledged ?? acknowledgements.get(alert.id);
    const record = acknowledged === undefined ? alert : { ...alert, acknowledged };
    return alertSummary(record, silences.get(subjectOf(alert)));
  };
  const isOver = ({ phase }: AlertRecord): boolean => phase === "resolved";
  return {
    lasting: current.filter((alert) => !isOver(alert)).map(shown),
    // Of some that are over not everybody was told yet.
    past: [...current.filter(isOver).reverse(), ...past].map(shown),
    drain: drain === null ? null : drainOf(drain),
    undelivered,
  };
}

async function undeliveredNotices(redis: Database): Promise<UndeliveredNotice[]> {
  const givenUp = await new JobQueue(redis, ALERT_OUTBOX).givenUp();
  return givenUp.flatMap(({ job, at, reason }) => {
    const { success, data } = noticeJobSchema.safeParse(job.payload);
    if (!success) return [];
    const { notice, to } = data;
    const { turn, alert } = notice;
    return [{ sender: job.kind, to, alert: alert.id, turn, at: new Date(at).toISOString(), reason }];
  });
}

function alertSummary(alert: AlertRecord, silence: Silence | undefined): AlertSummary {
  const { id, rule, host, text, actions, phase, raisedAt, resolvedAt, reminders, worst, acknowledged } =
    alert;
  return {
    ...{ id, rule, host, text, actions, phase, reminders, worst },
    raisedAt: new Date(raisedAt).toISOString(),
    resolvedAt: resolvedAt === undefined ? null : new Date(resolvedAt).toISOString(),
    acknowledgedBy: acknowledged?.by ?? null,
    silencedUntil: silence === undefined ? null : new Date(silence.until).toISOString(),
  };
}

function drainOf(text: string): Omit<Drain, "v"> {
  const { who, since, why } = drainSchema.parse(JSON.parse(text));
  return { who, since, why };
}
