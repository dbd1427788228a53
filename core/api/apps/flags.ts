import { z } from "zod";

/** `PUT /apps/APP/flags/NAME`. As text it is read as in an address (`1` is true); as a value it keeps its type (1 is the number). */
export const flagRequestSchema = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({
    value: z.union([z.boolean(), z.string(), z.number(), z.record(z.string(), z.json())]),
  }),
]);

/** A flag as people and programs are shown it. */
export const flagSummarySchema = z.object({
  /** A rule with its defaults; null when it cannot be read. */
  value: z.json(),
  kind: z.enum(["boolean", "string", "number", "object", "rule", "invalid"]),
  /** As it stands in Redis. */
  text: z.string(),
  /** Why it cannot be read. */
  problem: z.string().optional(),
});

/** `GET /apps/APP/flags`: name → flag. */
export const flagsSchema = z.record(z.string(), flagSummarySchema);

/** The answer to a change; `before` is null when it was not set. */
export const changedFlagSchema = flagSummarySchema.extend({
  app: z.string(),
  flag: z.string(),
  before: flagSummarySchema.nullable(),
});

/** One change by URL, command or API: the flag's text before and after (null: it was not set). */
export const flagChangeSchema = z.object({
  /** ISO 8601 */
  at: z.string(),
  who: z.string(),
  flag: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});

/** `GET /apps/APP/flags/changes`, newest first. */
export const flagChangesSchema = z.array(flagChangeSchema);

export type FlagRequest = z.infer<typeof flagRequestSchema>;
export type FlagSummary = z.infer<typeof flagSummarySchema>;
export type ChangedFlag = z.infer<typeof changedFlagSchema>;
export type FlagChange = z.infer<typeof flagChangeSchema>;
