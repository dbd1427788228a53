import { z } from "zod";

/** What became of one branch that a delivery named. */
export const branchResultSchema = z.object({
  branch: z.string(),
  commit: z.string().optional(),
  /**
   * `released`: it serves. `failed`: why stands in `reason`. `superseded`: a newer push took its place. `deleted`: the
   * branch is gone, and its preview. `nothing`: what it asks for was so already.
   */
  outcome: z.enum(["released", "failed", "superseded", "deleted", "nothing"]),
  release: z.string().optional(),
  reason: z.string().optional(),
  /** Of the error, when it failed. */
  code: z.string().optional(),
});

export const branchUpdateSchema = z.object({ branch: z.string(), commit: z.string().optional() });

/** A delivery that was taken. */
export const deliveryRecordSchema = z.object({
  v: z.literal(1),
  /** The host's own name of it; a replay has one of ours. */
  id: z.string(),
  /** ISO 8601 */
  at: z.string(),
  /** `github`, `gitlab`, …; `poll` for what the source was found to have, `replay`. */
  from: z.string(),
  /** The sender's address; for a replay, who asked for it. */
  by: z.string(),
  /** Where the request came from (`Actor.from`); undefined for what the source was found to have. */
  origin: z.string().optional(),
  event: z.string(),
  /** HTTP status of the answer. */
  answer: z.number().int(),
  state: z.enum(["waiting", "running", "done"]),
  updates: z.array(branchUpdateSchema),
  /** Digest of what was delivered: a host may call the same thing by another name. */
  body: z.string().optional(),
  /** The same came before, under another name. */
  repeated: z.literal(true).optional(),
  /** Why there was nothing to do. */
  reason: z.string().optional(),
  results: z.array(branchResultSchema),
  finishedAt: z.string().optional(),
});

/** One that was not: what was wrong is said here alone, never in the answer. */
export const refusedDeliverySchema = z.object({
  at: z.string(),
  from: z.string(),
  by: z.string(),
  event: z.string(),
  answer: z.number().int(),
  reason: z.string(),
});

export type BranchResult = z.infer<typeof branchResultSchema>;
export type DeliveryRecord = z.infer<typeof deliveryRecordSchema>;
export type RefusedDelivery = z.infer<typeof refusedDeliverySchema>;
