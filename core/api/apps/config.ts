import { z } from "zod";

/** `GET /apps/APP/config`, and the answer to a change of it: name → value, which is null unless the token is an admin's. */
export const configSchema = z.record(z.string(), z.string().nullable());

/** `PATCH /apps/APP/config` */
export const configChangeSchema = z.strictObject({
  set: z.record(z.string(), z.string()).default({}),
  unset: z.array(z.string()).default([]),
});

export type Config = z.infer<typeof configSchema>;
export type ConfigChange = z.input<typeof configChangeSchema>;
