import { z } from "zod";

/** What the API answers instead, with a status of 400 or above, or as the last line of a stream. */
export const problemSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
});

export type Problem = z.infer<typeof problemSchema>;
