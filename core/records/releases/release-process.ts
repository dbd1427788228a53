import { z } from "zod";

/** One process of a release: how many instances, and what they run. */
export const processSchema = z.object({
  name: z.string(),
  command: z.string(),
  quantity: z.number().int().nonnegative(),
});

export type ReleaseProcess = z.infer<typeof processSchema>;
