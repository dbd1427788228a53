import { z } from "zod";
import { APP_EVENT_TYPES } from "../../records/apps/app-event-type.js";

export const receiverFormSchema = z.enum(["standard", "slack"]);
export const receiverEventsSchema = z.union([z.literal("all"), z.array(z.enum(APP_EVENT_TYPES)).min(1)]);

/** `POST /apps/APP/notifications` */
export const newReceiverSchema = z.strictObject({
  url: z.string(),
  form: receiverFormSchema.default("standard"),
  events: receiverEventsSchema.default("all"),
});

export const receiverSchema = z.object({
  id: z.string(),
  /** Without what may be secret in it. */
  url: z.string(),
  form: receiverFormSchema,
  events: receiverEventsSchema,
  /** ISO 8601 */
  createdAt: z.string(),
});

/** The answer to `POST`: the only time the signing secret is shown; Slack has none. */
export const createdReceiverSchema = receiverSchema.extend({ secret: z.string().optional() });

/** A receiver, and its last failed delivery. */
export const receiverSummarySchema = receiverSchema.extend({
  undelivered: z.object({ type: z.string(), at: z.string(), reason: z.string() }).nullable(),
});

/** `GET /apps/APP/notifications` */
export const receiversSchema = z.array(receiverSummarySchema);

/** The answer to `POST /apps/APP/notifications/test`: how many are notified. */
export const testedReceiversSchema = z.object({ app: z.string(), receivers: z.number() });

export type NewReceiver = z.output<typeof newReceiverSchema>;
export type NewReceiverRequest = z.input<typeof newReceiverSchema>;
export type Receiver = z.infer<typeof receiverSchema>;
export type CreatedReceiver = z.infer<typeof createdReceiverSchema>;
export type ReceiverSummary = z.infer<typeof receiverSummarySchema>;
export type TestedReceivers = z.infer<typeof testedReceiversSchema>;
