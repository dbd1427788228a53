import { z } from "zod";

/** From which addresses and networks (CIDR) an app may be visited; none: from everywhere. */
export const routedAccessSchema = z.object({
  allowAddresses: z.array(z.string()).default([]),
  /** The same for what is not production; none: as `allowAddresses`. */
  previewAddresses: z.array(z.string()).default([]),
});

export type RoutedAccess = z.infer<typeof routedAccessSchema>;
