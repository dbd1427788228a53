import { z } from "zod";

/** What an app wants of https. */
export const routedHttpsSchema = z.object({
  /** `redirect`: http leads to https where there is a certificate; `both`: each serves; `off`: and no certificate is ordered. */
  mode: z.enum(["redirect", "both", "off"]).default("redirect"),
  /** How long browsers ask for nothing but https; absent: a careful start, then half a year. 0: not at all. */
  hstsSeconds: z.number().int().nonnegative().optional(),
});

export type RoutedHttps = z.infer<typeof routedHttpsSchema>;
