import { z } from "zod";

export const outboxJobSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  /** Which handler sends it. */
  kind: z.string(),
  /** Of one lane one job at a time is worked on: the destination. Seen in logs: no secrets. */
  lane: z.string(),
  /** A newer job with the same key takes its place. */
  key: z.string().optional(),
  payload: z.unknown(),
  /** When it was added, ms since 1970. */
  firstAt: z.number(),
  /** Tries that failed. */
  attempts: z.number().int().nonnegative(),
  /** ms since 1970 */
  dueAt: z.number(),
  lastError: z.string().optional(),
});

export const givenUpJobSchema = z.object({
  job: outboxJobSchema,
  /** ms since 1970 */
  at: z.number(),
  reason: z.string(),
});

/** What is still to be sent. */
export type OutboxJob = z.infer<typeof outboxJobSchema>;
/** What was not delivered, and will not be tried again. */
export type GivenUpJob = z.infer<typeof givenUpJobSchema>;
