import { z } from "zod";
import { pendingSchema } from "../pending.js";

/** What visitors of a track saw in the last minute. */
const recentTrafficSchema = z.object({
  requestsPerSecond: z.number(),
  /** Of all requests that are over: those that failed or got a 5xx answer, 0 to 1; null when there was none. */
  errorShare: z.number().nullable(),
  /** Milliseconds; null when there was no answer. */
  p50: z.number().nullable(),
  p99: z.number().nullable(),
});

const instanceSummarySchema = z.object({
  id: z.string(),
  release: z.string(),
  address: z.string().optional(),
  running: z.boolean(),
  pid: z.number().optional(),
  /** How often it ended and was started again. */
  restarts: z.number(),
  /** How it ended the last time: `status 1`, `killed by SIGKILL, out of memory`. */
  lastEnd: z.string().optional(),
});

const trackSummarySchema = z.object({
  track: z.string(),
  release: z.string(),
  commit: z.string(),
  url: z.string().optional(),
  /** A preview without instances; the next visit starts them. */
  asleep: z.boolean(),
  traffic: recentTrafficSchema,
});

export const appSummarySchema = z.object({
  app: z.string(),
  /** Absent when production's release runs no `web`. */
  url: z.string().optional(),
  tracks: z.array(trackSummarySchema).readonly(),
  instances: z.array(instanceSummarySchema).readonly(),
});

/** `GET /apps` */
export const appsSchema = z.array(appSummarySchema);

/** The answer to `DELETE /apps/APP` when a proxy has not heard of it yet; else there is none. */
export const destroyedAppSchema = z.object({ app: z.string(), pending: pendingSchema });

export type RecentTraffic = z.infer<typeof recentTrafficSchema>;
export type InstanceSummary = z.infer<typeof instanceSummarySchema>;
export type AppSummary = z.infer<typeof appSummarySchema>;
export type DestroyedApp = z.infer<typeof destroyedAppSchema>;
