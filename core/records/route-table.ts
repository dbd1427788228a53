import { z } from "zod";

/** A server as a route table names it: an instance and where it listens. */
export const routeServerSchema = z.object({ id: z.string(), address: z.string() });

/** A release that can be reached: every one at `vN.APP.DOMAIN`, those that a track names at the track's hosts too. */
export const routedReleaseSchema = z.object({
  number: z.number().int().positive(),
  track: z.string(),
  servers: z.array(routeServerSchema),
  /** A visitor's cookie keeps them on this release. */
  sticky: z.boolean(),
  /** When another release took its track (ms since 1970); absent while it serves or before it does. */
  replacedAt: z.number().optional(),
  /** Once replaced, it may keep its visitors for so long. */
  drainSeconds: z.number(),
  standbySeconds: z.number(),
  sessionIdleSeconds: z.number(),
});

/** What the proxies should do for one app. */
export const routeTableSchema = z.object({
  v: z.literal(1),
  app: z.string(),
  /** Track → release number. */
  tracks: z.record(z.string(), z.number().int().positive()),
  releases: z.array(routedReleaseSchema),
});

export type RouteServer = z.infer<typeof routeServerSchema>;
export type RoutedRelease = z.infer<typeof routedReleaseSchema>;
export type RouteTable = z.infer<typeof routeTableSchema>;

export function emptyRouteTable(app: string): RouteTable {
  return { v: 1, app, tracks: {}, releases: [] };
}

export const PRODUCTION = "production";
export const CANARY = "canary";
