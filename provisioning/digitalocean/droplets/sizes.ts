import { z } from "zod";
import type { ApiRequests } from "../requests/api-requests.js";

/** A size that droplets can have. */
export interface Size {
  readonly slug: string;
  readonly monthlyUsd: number;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly diskGb: number;
  /** Slugs of the regions where it is offered. */
  readonly regions: readonly string[];
  readonly isAvailable: boolean;
}

const sizeSchema = z
  .object({
    slug: z.string(),
    price_monthly: z.number(),
    memory: z.number(),
    vcpus: z.number(),
    disk: z.number(),
    regions: z.array(z.string()),
    available: z.boolean(),
  })
  .transform(({ slug, price_monthly, memory, vcpus, disk, regions, available }): Size => ({
    slug,
    monthlyUsd: price_monthly,
    memoryMb: memory,
    cpus: vcpus,
    diskGb: disk,
    regions,
    isAvailable: available,
  }));

export class Sizes {
  constructor(private readonly api: ApiRequests) {}

  async list(signal: AbortSignal): Promise<Size[]> {
    const call = { path: "/v2/sizes", key: "sizes", scopes: ["sizes:read", "regions:read"] };
    return this.api.list({ ...call, schema: sizeSchema, signal });
  }
}
