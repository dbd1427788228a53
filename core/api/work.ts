import { z } from "zod";

/** A line of output of a long operation. */
export const workLineSchema = z.object({ line: z.string() });

export type WorkLine = z.infer<typeof workLineSchema>;
