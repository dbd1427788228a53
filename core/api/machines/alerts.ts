import { z } from "zod";
import { currentAlertSchema } from "../../records/alerts/alert-record.js";
import { drainSchema } from "../../records/alerts/drain.js";

/** `POST /alerts/ID/silence` */
export const silenceRequestSchema = z.strictObject({
  minutes: z
    .number()
    .min(1)
    .max(30 * 24 * 60),
});

const shownAsItIs = { id: true, rule: true, host: true, text: true, reminders: true, worst: true } as const;

/** An alert as `GET /alerts` shows it. Times are ISO 8601. */
export const alertSummarySchema = currentAlertSchema.pick({ ...shownAsItIs, phase: true }).extend({
  actions: z.array(z.string()).readonly(),
  raisedAt: z.string(),
  resolvedAt: z.string().nullable(),
  /** Who has seen it. */
  acknowledgedBy: z.string().nullable(),
  silencedUntil: z.string().nullable(),
});

/** A notice that somebody did not get, and will not. */
const undeliveredNoticeSchema = z.object({
  /** `email`, `webhook`, `slack` */
  sender: z.string(),
  to: z.string(),
  alert: z.string(),
  turn: z.string(),
  /** When it was given up; ISO 8601. */
  at: z.string(),
  reason: z.string(),
});

/** `GET /alerts` */
export const alertsSummarySchema = z.object({
  /** Oldest first. */
  lasting: z.array(alertSummarySchema).readonly(),
  /** Newest first. */
  past: z.array(alertSummarySchema).readonly(),
  /** Why every canary is out of the traffic, where the monitor did it. */
  drain: drainSchema.omit({ v: true }).nullable(),
  /** Newest first. */
  undelivered: z.array(undeliveredNoticeSchema).readonly(),
});

export type SilenceRequest = z.infer<typeof silenceRequestSchema>;
export type AlertSummary = z.infer<typeof alertSummarySchema>;
export type UndeliveredNotice = z.infer<typeof undeliveredNoticeSchema>;
export type AlertsSummary = z.infer<typeof alertsSummarySchema>;
