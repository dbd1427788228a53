import { z } from "zod";
import { eventRecordSchema } from "../records/events/event-record.js";

/** An event's id. */
const idSchema = z.string().regex(/^\d{1,15}(-\d{1,15})?$/, "must be an event's id, like 1796000000000-0");

/**
 * The query of `GET /api/events`. It begins after the event `after` (or `Last-Event-ID`, which whoever resumes sends), else
 * with the last `last` ones.
 */
export const eventsQuerySchema = z.object({
  app: z.string().optional(),
  after: idSchema.optional(),
  last: z.coerce.number().int().min(0).max(10_000).default(0),
  follow: z
    .enum(["true", "false"])
    .default("true")
    .transform((text) => text === "true"),
});

/** The `data` of each event that it sends. A later version may know more types. */
export const eventSchema = eventRecordSchema.extend({ type: z.string() });

export type EventsQuery = z.infer<typeof eventsQuerySchema>;
export type Event = z.infer<typeof eventSchema>;
