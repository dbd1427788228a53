import { z } from "zod";

/** `POST /keys`: a line of a `.pub` file. */
export const newKeySchema = z.strictObject({ key: z.string().max(16_384) });

/** An SSH public key that may push. */
export const keySummarySchema = z.object({
  /** The first 16 characters of the fingerprint. */
  id: z.string(),
  name: z.string(),
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  fingerprint: z.string(),
  createdAt: z.string(),
});

/** `GET /keys` */
export const keysSchema = z.array(keySummarySchema);

export type NewKey = z.infer<typeof newKeySchema>;
export type KeySummary = z.infer<typeof keySummarySchema>;
