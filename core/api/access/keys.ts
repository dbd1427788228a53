import { z } from "zod";
import { KEY_RIGHTS, lifetimeSchema, scopedAppsSchema } from "./scope.js";

/** `POST /keys`: a line of a `.pub` file. Without `expires` it is good until it is removed. */
export const newKeySchema = z.strictObject({
  key: z.string().max(16_384),
  apps: scopedAppsSchema.default("all"),
  may: z.enum(KEY_RIGHTS).default("push"),
  expires: lifetimeSchema.optional(),
});

/** An SSH public key that may push, or only fetch. */
export const keySummarySchema = z.object({
  /** The first 16 characters of the fingerprint. */
  id: z.string(),
  name: z.string(),
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  fingerprint: z.string(),
  createdAt: z.string(),
  apps: scopedAppsSchema,
  may: z.enum(KEY_RIGHTS),
  expiresAt: z.string().nullable(),
  /** It was added before keys had scopes, and so may push to every app. */
  unscoped: z.boolean(),
});

/** `GET /keys` */
export const keysSchema = z.array(keySummarySchema);

export type NewKey = z.input<typeof newKeySchema>;
export type KeyOrder = z.infer<typeof newKeySchema>;
export type KeySummary = z.infer<typeof keySummarySchema>;
