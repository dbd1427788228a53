import { z } from "zod";

/** A line of a long piece of work: what it says to whoever waits for it. */
export const workLineSchema = z.object({ line: z.string() });

export type WorkLine = z.infer<typeof workLineSchema>;
