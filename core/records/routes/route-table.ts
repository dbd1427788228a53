import { z } from "zod";
import { previewPasswordSchema } from "./preview-password.js";
import { routedAccessSchema } from "./routed-access.js";
import { routedHttpsSchema } from "./routed-https.js";
import { routedLimitsSchema } from "./routed-limits.js";
import { scaleSettingsSchema } from "../releases/scale-settings.js";

/** A server as a route table names it: an instance and where it listens. */
export const routeServerSchema = z.object({ id: z.string(), address: z.string() });

/** A release that can be reached: every one at `vN.APP.DOMAIN`, those that a track names at the track's hosts too. */
export const routedReleaseSchema = z.object({
  number: z.number().int().positive(),
  track: z.string(),
  servers: z.array(routeServerSchema),
  /** It has no `web` process, so nobody can visit it: no host leads to it. Absent where it has. */
  withoutWeb: z.literal(true).optional(),
  /** A visitor's cookie keeps them on this release. */
  sticky: z.boolean(),
  /** When another release took its track (ms since 1970); absent while it serves or before it does. */
  replacedAt: z.number().optional(),
  /** Once replaced, it may keep its visitors for so long. */
  drainSeconds: z.number(),
  standbySeconds: z.number(),
  sessionIdleSeconds: z.number(),
  /** A preview that nobody visited: it has no instance until the next visit. */
  asleep: z.boolean().default(false),
  /** Without a visit for so long it sleeps; 0: never. */
  sleepSeconds: z.number().default(0),
  /** When it slept for so long it goes; 0: never. */
  expireSeconds: z.number().default(0),
  /** As production: within which bounds the autoscaler may choose how many servers it has. */
  scale: scaleSettingsSchema.optional(),
  /** As production: when it was last decided how many instances it has, by a release, a person or the autoscaler (ms since 1970). */
  sizedAt: z.number().optional(),
  /** When it was started, or put to sleep (ms since 1970). */
  since: z.number().default(0),
});

/** For p90 and p99: the slowest bucket (`latency-buckets.ts`) of an answer that is not slow. */
const slowLimitsSchema = z.array(z.number().int().nonnegative()).readonly();

/** Which of the app's visitors go to the canary. */
const currentCanarySchema = z.object({
  /** Percent of the visitors, 0 to 100. */
  share: z.number().min(0).max(100),
  /** An admin chose the share: steps and new canaries leave it. */
  isManual: z.boolean(),
  /** A path that visitors are meant to reach (an A/B test). */
  goal: z.string().optional(),
  /** As `modeHeader`, which it takes the place of while there is the canary. */
  header: z.string().optional(),
  /** From when on a visitor's answer is slow, on the canary and on what it is compared with; absent until that is known. */
  slow: z.object({ canary: slowLimitsSchema, production: slowLimitsSchema }).optional(),
});

/** `isManual` was `isByHand` first. */
export const routedCanarySchema = z.preprocess((stored) => {
  if (typeof stored !== "object" || stored === null || !("isByHand" in stored)) return stored;
  const { isByHand, ...rest } = stored;
  return { ...rest, isManual: isByHand };
}, currentCanarySchema);

/** A name of the app's own. */
export const routedDomainSchema = z.object({
  /** `www.example.com`, or `*.example.com`. */
  name: z.string(),
  /** Another one of the app's, to which visitors are sent on. */
  redirectTo: z.string().optional(),
  /** The app's app.json has it, and takes it away. */
  isDeclared: z.literal(true).optional(),
});

/** What the proxies should do for one app. */
export const routeTableSchema = z.object({
  v: z.literal(1),
  app: z.string(),
  /** Track → release number. */
  tracks: z.record(z.string(), z.number().int().positive()),
  releases: z.array(routedReleaseSchema),
  /** Releases that production had, each gone back to from the next; the last is the one it has. None that was taken back. */
  history: z.array(z.number().int().positive()).default([]),
  /** There while the track `canary` is. */
  canary: routedCanarySchema.optional(),
  /** The header by which visitors ask for `blue` or `green`, when the app names one. */
  modeHeader: z.string().optional(),
  domains: z.array(routedDomainSchema).default([]),
  https: routedHttpsSchema.prefault({}),
  access: routedAccessSchema.prefault({}),
  limits: routedLimitsSchema.prefault({}),
  /** Digest of the app's own error page (`ErrorPages`). */
  errorPage: z.string().optional(),
  /** For what is not production; absent: everybody may visit it. */
  previewPassword: previewPasswordSchema.optional(),
  /** Proxies log each of its requests. */
  accessLog: z.boolean().default(false),
});

export type RoutedDomain = z.infer<typeof routedDomainSchema>;
export type RoutedCanary = z.infer<typeof routedCanarySchema>;
export type RouteServer = z.infer<typeof routeServerSchema>;
export type RoutedRelease = z.infer<typeof routedReleaseSchema>;
export type RouteTable = z.infer<typeof routeTableSchema>;

export function emptyRouteTable(app: string): RouteTable {
  return routeTableSchema.parse({ v: 1, app, tracks: {}, releases: [] });
}

export const PRODUCTION = "production";
export const CANARY = "canary";
/** Fresh instances of production's release that a canary is compared with. */
export const BASELINE = "baseline";

/** Any other branch's track. */
export function isPreview(track: string): boolean {
  return track !== PRODUCTION && track !== CANARY && track !== BASELINE;
}

/** Percent of the visitors that the canary gets now. Where production has no release it has all of them. */
export function canaryShare({ tracks, canary }: RouteTable, isAlert: boolean): number {
  if (tracks[CANARY] === undefined) return 0;
  if (tracks[PRODUCTION] === undefined) return 100;
  return isAlert ? 0 : (canary?.share ?? 0);
}

/** A release whose visitors are counted: it may go, or sleep, once there are none. */
export function isWatched({ replacedAt, sleepSeconds, asleep }: RoutedRelease): boolean {
  return replacedAt !== undefined || (sleepSeconds > 0 && !asleep);
}
