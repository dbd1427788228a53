import { z } from "zod";
import { alertActionSchema } from "../../settings/monitor-settings.js";

const quietSchema = z.object({
  by: z.string(),
  /** ms since 1970 */
  at: z.number(),
});

/** A person has seen it: no reminder any more. */
export const acknowledgementSchema = quietSchema;
/** No news of this rule on this host until then. */
export const silenceSchema = quietSchema.extend({ until: z.number() });

/** A turn in an alert's life, of which people are notified. */
export const ALERT_TURNS = ["raised", "reminded", "resolved"] as const;

export const currentAlertSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  /** The rule's name; `silent` for a host that stopped reporting. */
  rule: z.string(),
  host: z.string(),
  /** What is wrong, with the values, for people. */
  text: z.string(),
  actions: z.array(alertActionSchema),
  phase: z.enum(ALERT_TURNS),
  /** Times in ms since 1970, by Redis' clock. */
  raisedAt: z.number(),
  remindedAt: z.number().optional(),
  resolvedAt: z.number().optional(),
  reminders: z.number().int().nonnegative(),
  /** The last value, and the one farthest on the wrong side. */
  value: z.number(),
  worst: z.number(),
  acknowledged: acknowledgementSchema.optional(),
  /** Whether people are notified of it: not while it is silenced. */
  announced: z.boolean(),
  /** Turns that an action has not handled yet. Each is removed once handled, so that none is handled twice or forgotten. */
  pending: z.array(z.object({ action: alertActionSchema, turn: z.enum(ALERT_TURNS) })),
});

/** `pending` was `owed` first. */
export const alertRecordSchema = z.preprocess((stored) => {
  if (typeof stored !== "object" || stored === null || !("owed" in stored)) return stored;
  const { owed, ...rest } = stored;
  return { ...rest, pending: owed };
}, currentAlertSchema);

export type AlertRecord = z.infer<typeof currentAlertSchema>;
export type AlertTurn = (typeof ALERT_TURNS)[number];
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;
export type Silence = z.infer<typeof silenceSchema>;

/** What silences are kept by. */
export function subjectOf({ rule, host }: { readonly rule: string; readonly host: string }): string {
  return `${rule}@${host}`;
}
