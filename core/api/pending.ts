import { z } from "zod";

/** What is done, but not yet everywhere: which proxy does not follow, and what to do about it. */
export const pendingSchema = z.object({ message: z.string(), hint: z.string() });

export type Pending = z.infer<typeof pendingSchema>;
