import { z } from "zod";

/** The proxy splits by hundredths of a percent. */
export const percentSchema = z.number().min(0).max(100).multipleOf(0.01);

/** `"canary"` in the `"sluice"` section of app.json: how the canary is shown to visitors, and how it is judged. */
export const canarySettingsSchema = z.strictObject({
  /** Percent of the visitors; 0: only those who ask for it by the header. */
  share: percentSchema.default(30),
  /** The header by which a visitor asks for `blue` (production) or `green` (the canary). */
  header: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be a header's name in lower-case letters, digits and dashes")
    .default("x-client-mode"),
  /** Shares that follow each other as long as the verdict is good; without them `share` is the only one. */
  steps: z.array(percentSchema).max(50).default([]),
  /** How long a step lasts at least. */
  stepSeconds: z.number().positive().max(604_800).default(300),
  /** It is compared with fresh instances of production's release, as many as its own, which get the same share. */
  baseline: z.boolean().default(false),
  onPass: z.enum(["promote", "hold"]).default("hold"),
  onFail: z.enum(["abort", "hold"]).default("abort"),
  /** Below this nothing is said of a canary. */
  minRequests: z.number().int().min(1).default(100),
  /** A share of errors (0 to 1) that fails a canary at once. */
  maxErrorShare: z.number().min(0).max(1).optional(),
  /** p99 of the canary by p99 of production that fails a canary at once. */
  maxP99Ratio: z.number().min(1).optional(),
  /** A path that visitors are meant to reach: an A/B test, which nobody but a person decides. */
  goal: z
    .strictObject({
      path: z.string().regex(/^\/[A-Za-z0-9/_.-]{0,200}$/, "must be a path of letters, digits and / _ . -"),
    })
    .optional(),
});

export type CanarySettings = z.infer<typeof canarySettingsSchema>;

/** The share that a new canary begins with. */
export function firstShare({ steps, share }: CanarySettings): number {
  return steps[0] ?? share;
}
