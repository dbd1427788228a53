import { z } from "zod";
import { APP_EVENT_TYPES } from "../apps/app-event-type.js";

/** What can happen, to an app or to the server. The first eight are sent to the app's receivers, too. */
export const EVENT_TYPES = [
  ...APP_EVENT_TYPES,
  "release.queued",
  "release.retired",
  "scale.changed",
  "share.changed",
  "config.changed",
  "flag.changed",
  "domain.added",
  "domain.removed",
  "certificate.added",
  "certificate.issued",
  "certificate.removed",
  "app.created",
  "app.destroyed",
  "webhook.changed",
  "receiver.added",
  "receiver.removed",
  "token.created",
  "token.removed",
  "key.added",
  "key.removed",
  "alert.acknowledged",
  "alert.silenced",
  "host.added",
  "host.ready",
  "host.address",
  "host.failed",
  "host.leaving",
  "host.draining",
  "host.undrained",
  "host.removed",
  "proxy.removed",
] as const;

/** `by` of what Sluice does by itself: the verdict on a canary, the end of a release that nobody visits. */
export const BY_SLUICE = "sluice";

const changeSchema = z.object({ from: z.number(), to: z.number() });

const eventDataSchema = z.object({
  commit: z.string().optional(),
  branch: z.string().optional(),
  track: z.string().optional(),
  /** Whether the track has a URL: the release runs a `web` process, or its manifest was not read yet. */
  hasUrl: z.boolean().optional(),
  /** Of a failure or an abort: a sentence, and the output after it. */
  reason: z.string().optional(),
  /** Process → how many instances. */
  scale: z.record(z.string(), changeSchema).optional(),
  /** Percent of the visitors that go to the canary. */
  share: changeSchema.optional(),
  /** Of variables, flags, or what of a webhook was changed. */
  names: z.array(z.string()).optional(),
  /** The name or id of the domain, token, key, receiver, alert, host or proxy. */
  subject: z.string().optional(),
  /** Of a new token or key: what it may do, and where. */
  scope: z.string().optional(),
});

const newEventSchema = z.object({
  /** Empty: it is about no app. */
  app: z.string(),
  type: z.enum(EVENT_TYPES),
  /** A token's or key's name, `autoscaler`, or `sluice`. */
  by: z.string(),
  /** Where the request came from: an address, `ssh` and an address, or `socket`. Absent: nobody asked. */
  from: z.string().optional(),
  /** `v42` */
  release: z.string().optional(),
  data: eventDataSchema,
});

export const eventRecordSchema = newEventSchema.extend({
  /** The stream's: `1796000000000-0`. A later event has a greater one. */
  id: z.string(),
  /** When it happened, by Redis' clock; ISO 8601. */
  at: z.string(),
});

export type EventType = (typeof EVENT_TYPES)[number];
export type EventData = z.infer<typeof eventDataSchema>;
/** What whoever changes something says of it; the stream adds `id` and `at`. */
export type NewEvent = z.infer<typeof newEventSchema>;
export type EventRecord = z.infer<typeof eventRecordSchema>;

/** An entry of the stream. Undefined: a later version may have written it. */
export function parseEvent(id: string, [, text = ""]: readonly string[]): EventRecord | undefined {
  try {
    const at = new Date(Number(id.split("-")[0])).toISOString();
    return { ...newEventSchema.parse(JSON.parse(text)), id, at };
  } catch {
    return undefined;
  }
}
