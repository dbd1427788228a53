import { z } from "zod";

/** A line of a long piece of work: what it says to whoever waits for it. */
export const workLineSchema = z.object({ line: z.string() });

/** The last line of every stream that did what it was asked. */
export const doneSchema = z.object({ done: z.unknown() });

export type WorkLine = z.infer<typeof workLineSchema>;
