import { z } from "zod";

/** Why a monitor takes every canary out of the traffic. */
export const drainSchema = z.object({
  v: z.literal(1),
  /** The host whose monitor set the alert key. */
  who: z.string(),
  /** ISO 8601 */
  since: z.string(),
  why: z.string(),
});

export type Drain = z.infer<typeof drainSchema>;
