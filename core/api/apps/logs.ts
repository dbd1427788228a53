import { z } from "zod";

/** The query of `GET /apps/APP/logs`. */
export const logQuerySchema = z.object({
  release: z.string().optional(),
  lines: z.coerce.number().int().min(0).max(10_000).default(100),
  follow: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true"),
  /** The access log instead: each `text` is an `AccessLine` in JSON. */
  access: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true"),
});

/** A line of its answer. */
export const logEntrySchema = z.object({
  /** ISO 8601; empty for the output of the release itself. */
  at: z.string(),
  /** `v42 web.1`, `v42 release` for what the pipeline said, or `access`. */
  from: z.string(),
  text: z.string(),
});

export type LogEntry = z.infer<typeof logEntrySchema>;
