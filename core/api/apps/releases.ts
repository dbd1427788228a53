import { z } from "zod";
import { PHASES } from "../../records/releases/phase.js";

export const releaseSummarySchema = z.object({
  release: z.string(),
  commit: z.string(),
  branch: z.string(),
  track: z.string(),
  phase: z.enum(PHASES),
  /** Whether its track points to it, or it is replaced: `live`, `draining`, `standby`, or `no`. */
  traffic: z.enum(["live", "draining", "standby", "no"]),
  /** ISO 8601 */
  at: z.string(),
  by: z.string(),
  error: z.string().optional(),
});

/** `GET /apps/APP/releases`, newest first. */
export const releasesSchema = z.array(releaseSummarySchema);

/** `POST /apps/APP/rollback`; without a release to the one before. */
export const rollbackRequestSchema = z.strictObject({ release: z.string().optional() });

/** What a rollback or a promotion was done with: which release serves now. */
export const servingReleaseSchema = z.object({ app: z.string(), release: z.string(), commit: z.string() });

export type ReleaseSummary = z.infer<typeof releaseSummarySchema>;
export type RollbackRequest = z.infer<typeof rollbackRequestSchema>;
export type ServingRelease = z.infer<typeof servingReleaseSchema>;
