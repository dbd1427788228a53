import { z } from "zod";

/** `POST /hosts/HOST/drain` and `/undrain` */
export const drainedSchema = z.object({ host: z.string(), draining: z.boolean() });

export type Drained = z.infer<typeof drainedSchema>;
