import { z } from "zod";

/** One process of a release: how many instances, and what they run. */
export const processSchema = z.object({
  name: z.string(),
  /** A line for `sh -c`; empty: what the image of a Dockerfile starts by itself. */
  command: z.string(),
  quantity: z.number().int().nonnegative(),
  /** Of its instances, once one was replaced by another; else they are 1 to `quantity` (`indicesOf`). */
  indices: z.array(z.number().int().positive()).readonly().optional(),
});

export type ReleaseProcess = z.infer<typeof processSchema>;
