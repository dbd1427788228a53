import { z } from "zod";

/** `"scale"` in the `"sluice"` section of app.json: how the autoscaler sets the number of instances of `web` in production. */
export const scaleSettingsSchema = z
  .strictObject({
    min: z.number().int().min(1).max(100).default(1),
    max: z.number().int().min(1).max(100).default(4),
    /** CPU that an instance is to take on average, in percent of one processor. */
    cpuTarget: z.number().min(5).max(95).default(60),
    /** It must have been calm for so long before an instance goes. */
    cooldownSeconds: z.number().min(5).max(3600).default(120),
  })
  .refine(({ min, max }) => min <= max, "min is greater than max");

export type ScaleSettings = z.infer<typeof scaleSettingsSchema>;
