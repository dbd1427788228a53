import { z } from "zod";
import { lifetimeSchema, RIGHTS, scopedAppsSchema, scopeSchema } from "./scope.js";

/** `POST /tokens`. Without `expires` it is good until it is removed. */
export const newTokenSchema = z.strictObject({
  name: z.string(),
  apps: scopedAppsSchema.default("all"),
  may: z.enum(RIGHTS).default("push"),
  expires: lifetimeSchema.optional(),
});

export const tokenSummarySchema = scopeSchema.extend({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  /** Its first characters; null: it was made before they were kept. */
  prefix: z.string().nullable(),
  expiresAt: z.string().nullable(),
  /** It was made before tokens had scopes, and so may do everything. */
  unscoped: z.boolean(),
});

/** `GET /tokens` */
export const tokensSchema = z.array(tokenSummarySchema);

/** The answer to `POST /tokens`: the only time the token itself is shown. */
export const createdTokenSchema = tokenSummarySchema.extend({ token: z.string() });

export type NewToken = z.input<typeof newTokenSchema>;
export type TokenOrder = z.infer<typeof newTokenSchema>;
export type TokenSummary = z.infer<typeof tokenSummarySchema>;
export type CreatedToken = z.infer<typeof createdTokenSchema>;
