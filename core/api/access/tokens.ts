import { z } from "zod";

/** `POST /tokens` */
export const newTokenSchema = z.strictObject({ name: z.string() });

export const tokenSummarySchema = z.object({ id: z.string(), name: z.string(), createdAt: z.string() });

/** `GET /tokens` */
export const tokensSchema = z.array(tokenSummarySchema);

/** The answer to `POST /tokens`: the only time the token itself is shown. */
export const createdTokenSchema = tokenSummarySchema.extend({ token: z.string() });

export type NewToken = z.infer<typeof newTokenSchema>;
export type TokenSummary = z.infer<typeof tokenSummarySchema>;
export type CreatedToken = z.infer<typeof createdTokenSchema>;
