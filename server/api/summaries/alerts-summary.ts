import type { AlertsSummary, AlertSummary, UndeliveredNotice } from "../../../core/api/machines/alerts.js";
import { JobQueue } from "../../../core/outbox/job-queue.js";
import { ALERT_OUTBOX, noticeJobSchema } from "../../../core/records/alerts/alert-notice.js";
import { subjectOf, type AlertRecord, type Silence } from "../../../core/records/alerts/alert-record.js";
import type { AlertRecords } from "../../../core/records/alerts/alert-records.js";
import { drainSchema } from "../../../core/records/alerts/drain.js";
import { redisTime } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";

const MOST_PAST = 50;

/** Every alert that lasts, the last that are over, and what was not delivered. */
export async function alertsSummary(redis: Database, alerts: AlertRecords): Promise<AlertsSummary> {
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

export function alertSummary(alert: AlertRecord, silence: Silence | undefined): AlertSummary {
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

function drainOf(text: string): AlertsSummary["drain"] {
  const { who, since, why } = drainSchema.parse(JSON.parse(text));
  return { who, since, why };
}
