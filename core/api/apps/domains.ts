import { z } from "zod";

/** Where a domain's name leads to, as name servers say. `unknown`: they did not answer. */
export const domainDnsSchema = z.object({
  state: z.enum(["here", "elsewhere", "nowhere", "unknown"]),
  /** Its addresses. */
  found: z.array(z.string()).readonly(),
  /** Addresses of this Sluice, one of which it should have. */
  expected: z.array(z.string()).readonly(),
});

/** `GET /apps/APP/domains` */
export const domainsSchema = z.array(
  z.object({
    domain: z.string(),
    /** Null: it serves. */
    redirectTo: z.string().nullable(),
    /** Null for those after the first 50. */
    dns: domainDnsSchema.nullable(),
  }),
);

/** `POST /apps/APP/domains`, answered with the domain as above. */
export const domainRequestSchema = z.strictObject({
  domain: z.string(),
  redirectTo: z.string().optional(),
});

export type DomainDns = z.infer<typeof domainDnsSchema>;
export type DomainSummary = z.infer<typeof domainsSchema>[number];
