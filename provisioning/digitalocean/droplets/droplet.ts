import { z } from "zod";

/** A virtual machine at DigitalOcean. */
export interface Droplet {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  /** IPv4. Missing until it has one. */
  readonly publicAddress?: string;
  /** IPv4, in its VPC. Missing until it has one. */
  readonly privateAddress?: string;
  /** Slug, such as `s-1vcpu-2gb`. */
  readonly size: string;
  /** Slug, such as `fra1`. */
  readonly region: string;
  readonly monthlyUsd: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly tags: readonly string[];
}

/** Parses what the API returns. */
export const dropletSchema = z
  .object({
    id: z.number().int(),
    name: z.string(),
    status: z.enum(["new", "active", "off", "archive"]),
    created_at: z.string(),
    size_slug: z.string(),
    size: z.object({ price_monthly: z.number() }),
    region: z.object({ slug: z.string() }),
    tags: z.array(z.string()),
    networks: z.object({
      v4: z.array(z.object({ ip_address: z.string().optional(), type: z.string().optional() })).optional(),
    }),
  })
  .transform(({ created_at, size_slug, size, region, networks, ...same }): Droplet => {
    const addressOf = (type: string): string | undefined =>
      networks.v4?.find((network) => network.type === type)?.ip_address;
    const publicAddress = addressOf("public");
    const privateAddress = addressOf("private");
    return {
      ...same,
      ...(publicAddress === undefined ? {} : { publicAddress }),
      ...(privateAddress === undefined ? {} : { privateAddress }),
      size: size_slug,
      region: region.slug,
      monthlyUsd: size.price_monthly,
      createdAt: created_at,
    };
  });
