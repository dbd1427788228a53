import { z } from "zod";

const entrySchema = z.object({
  /** When the request came; ISO 8601. */
  time: z.string(),
  app: z.string(),
  /** `v42`; null where no release had the request: a redirect, or an app that has none. */
  release: z.string().nullable(),
  track: z.string().nullable(),
  method: z.string(),
  /** Without its query. */
  path: z.string(),
  /** Null: the visitor left before there was one. */
  status: z.number().nullable(),
  /** Sent to the visitor, with the headers. */
  bytes: z.number(),
  /** From the request's first byte to the answer's last. */
  milliseconds: z.number(),
  /** From the request's first byte to the instance's answer; null: no instance answered. */
  answeredAfterMilliseconds: z.number().nullable(),
  /** The visitor's. */
  address: z.string(),
  host: z.string(),
  /** How the visitor spoke to the proxy: `h1`, `h2`. */
  protocol: z.string(),
  /** `TLSv1.3`; null: none. */
  tls: z.string().nullable(),
  userAgent: z.string().nullable(),
  /** Without its query. */
  referer: z.string().nullable(),
  requestId: z.string(),
});

/** Stands where requests are missing: the disk was full, or slower than they came. */
const droppedSchema = z.object({ time: z.string(), app: z.string(), dropped: z.number() });

/** A line of an app's access log. */
export const accessLineSchema = z.union([entrySchema, droppedSchema]);

export type AccessEntry = z.infer<typeof entrySchema>;
export type DroppedLines = z.infer<typeof droppedSchema>;
export type AccessLine = z.infer<typeof accessLineSchema>;
