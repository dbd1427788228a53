import { z } from "zod";

/** `PUT /apps/APP/webhook`: what is named is changed. */
export const webhookRequestSchema = z.strictObject({
  source: z.string().optional(),
  statusToken: z.string().max(4096).optional(),
  branches: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9._/-]{1,100}\*?$/, "must be a branch name, or the beginning of one followed by *"),
    )
    .max(100)
    .optional(),
});

/** Its answer: what `sluice webhook` shows. */
export const webhookAnswerSchema = z.object({
  app: z.string(),
  /** To paste into the forge. */
  url: z.string(),
  secret: z.string(),
  /** A line to add to the repository as a deploy key (reading is enough). */
  deployKey: z.string(),
  source: z.string().nullable(),
  branches: z.array(z.string()).readonly(),
  /** Whether there is a token with which results are reported to the forge. */
  reportsBack: z.boolean(),
  /** Why the source cannot be read yet. */
  problem: z.string().optional(),
});

export type WebhookRequest = z.infer<typeof webhookRequestSchema>;
export type WebhookAnswer = z.infer<typeof webhookAnswerSchema>;
