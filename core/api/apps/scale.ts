import { z } from "zod";
import { scaleDecisionSchema } from "../../records/scaling/scale-decisions.js";

/** `PUT /apps/APP/scale`: process → how many instances. */
export const scaleRequestSchema = z.record(z.string(), z.number().int().min(0).max(100));

/** How many instances production has, and what was decided about it. */
export const scaleSummarySchema = z.object({
  app: z.string(),
  release: z.string().nullable(),
  processes: z.array(z.object({ process: z.string(), quantity: z.number(), running: z.number() })).readonly(),
  /** What app.json asks of the autoscaler; null: it leaves the app alone. */
  autoscaler: z
    .object({ min: z.number(), max: z.number(), cpuTarget: z.number(), cooldownSeconds: z.number() })
    .nullable(),
  /** Newest first. */
  decisions: z.array(scaleDecisionSchema.omit({ v: true })).readonly(),
});

/** What a change was done with. */
export const scaledSchema = z.object({
  app: z.string(),
  release: z.string(),
  processes: z.record(z.string(), z.number()),
});

export type ScaleRequest = z.infer<typeof scaleRequestSchema>;
export type ScaleSummary = z.infer<typeof scaleSummarySchema>;
export type Scaled = z.infer<typeof scaledSchema>;
