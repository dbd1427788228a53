import { z } from "zod";

/** An app, from its first push to its destruction. */
export const appRecordSchema = z.object({
  v: z.literal(1),
  name: z.string(),
  createdAt: z.string(),
  /** The numeric user its builds and instances run as when the server is root. */
  uid: z.number().int(),
  /** Sealed password of its Redis user. */
  redisPassword: z.string(),
  /** Whether `scripts.postdeploy` of app.json has run (it runs once in an app's life). */
  postdeployed: z.boolean(),
});

export type AppRecord = z.infer<typeof appRecordSchema>;
