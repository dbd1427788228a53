import { z } from "zod";

/** What an app allows each visitor; absent: no limit. */
export const routedLimitsSchema = z.object({
  requestsPerMinute: z.number().int().positive().optional(),
  /** Requests and WebSockets that are open at once. */
  connections: z.number().int().positive().optional(),
  /** Of a request. */
  bodyMegabytes: z.number().int().positive().optional(),
});

export type RoutedLimits = z.infer<typeof routedLimitsSchema>;
