import { z } from "zod";
import { ALERT_ACTIONS, ruleSchema } from "../../settings/monitor-settings.js";
import { ALERT_TURNS, alertRecordSchema } from "./alert-record.js";

/** The outbox that notices wait in. */
export const ALERT_OUTBOX = "alerts";

/** The ways to notify people; the kinds of jobs in that outbox. */
export const SENDER_KINDS = ["email", "webhook", "slack"] as const;
export type SenderKind = (typeof SENDER_KINDS)[number];

/** A turn of an alert of which people are notified. */
export const alertNoticeSchema = z.object({
  v: z.literal(1),
  /** The same whenever this turn is sent again: `ALERT.raised`, `ALERT.reminded-2`. */
  id: z.string(),
  turn: z.enum(ALERT_TURNS),
  /** When it turned, ms since 1970. */
  at: z.number(),
  alert: alertRecordSchema,
  /** None for a host that is silent. */
  rule: ruleSchema.optional(),
  /** What Sluice does because of this host meanwhile, by whichever rule. */
  measures: z.array(z.enum(ALERT_ACTIONS)),
  /** Nothing happened: a person wanted to see whether it arrives. */
  test: z.literal(true).optional(),
});

/** A job's payload: a notice and whom it goes to. */
export const noticeJobSchema = z.object({
  notice: alertNoticeSchema,
  /** An address; what it is, the sender knows. No secret. */
  to: z.string(),
});

export type AlertNotice = z.infer<typeof alertNoticeSchema>;
