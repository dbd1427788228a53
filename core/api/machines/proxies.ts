import { z } from "zod";

/** A proxy as `GET /proxies` shows it. */
export const proxySummarySchema = z.object({
  proxy: z.string(),
  /** Whether it has reported lately. One that has not may serve on by the routes that it had. */
  reports: z.boolean(),
  /** ISO 8601, by Redis' clock. */
  seenAt: z.string(),
  /** The revision of the route tables that it follows. */
  revision: z.number(),
  /** Apps that it serves by an earlier table, which it could not apply. */
  failing: z.array(z.string()).readonly(),
  /** Whether it has the address that proxies share (`fleet.virtualAddress`). */
  hasSharedAddress: z.boolean(),
});

export const proxiesSchema = z.array(proxySummarySchema);

export type ProxySummary = z.infer<typeof proxySummarySchema>;
