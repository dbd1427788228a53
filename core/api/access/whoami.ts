import { z } from "zod";
import { scopeSchema } from "./scope.js";

/** `GET /whoami` */
export const whoamiSchema = scopeSchema.extend({
  /** As events name it. */
  name: z.string(),
  expiresAt: z.string().nullable(),
});

export type Whoami = z.infer<typeof whoamiSchema>;
