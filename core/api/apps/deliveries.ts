import { z } from "zod";

/** What became of one branch that a delivery named. */
const branchResultSchema = z.object({
  branch: z.string(),
  commit: z.string().optional(),
  outcome: z.enum(["released", "failed", "superseded", "deleted", "nothing"]),
  release: z.string().optional(),
  reason: z.string().optional(),
  /** Of the error, when it failed. */
  code: z.string().optional(),
});

/** A delivery as it is shown, taken or not. */
export const deliveryAnswerSchema = z.object({
  /** Null for one that was refused. */
  number: z.number().nullable(),
  /** The forge's own name of it; a replay has one of ours. */
  id: z.string(),
  /** ISO 8601 */
  at: z.string(),
  /** `github`, `gitlab`, …; `poll` for what the source was found to have, `replay`. */
  from: z.string(),
  /** The sender's address; for a replay, who asked for it. */
  by: z.string(),
  event: z.string(),
  /** HTTP status of the answer. */
  answer: z.number(),
  state: z.enum(["waiting", "running", "done", "refused"]),
  updates: z.array(z.object({ branch: z.string(), commit: z.string().optional() })).readonly(),
  /** Why there was nothing to do. */
  reason: z.string().optional(),
  results: z.array(branchResultSchema).readonly(),
  finishedAt: z.string().optional(),
});

/** `GET /apps/APP/deliveries`, newest first. */
export const deliveriesSchema = z.array(deliveryAnswerSchema);

/** The answer to `POST /apps/APP/deliveries/N/replay`: its number. */
export const replayedDeliverySchema = z.object({ number: z.number() });

export type DeliveryAnswer = z.infer<typeof deliveryAnswerSchema>;
export type ReplayedDelivery = z.infer<typeof replayedDeliverySchema>;
