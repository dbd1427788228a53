import { z } from "zod";
import type { ApiRequests } from "./requests/api-requests.js";

export interface Region {
  /** Such as `fra1`. */
  readonly slug: string;
  readonly name: string;
  readonly isAvailable: boolean;
  /** Slugs of the sizes that are offered there. */
  readonly sizes: readonly string[];
}

const regionSchema = z
  .object({ slug: z.string(), name: z.string(), available: z.boolean(), sizes: z.array(z.string()) })
  .transform(({ available, ...same }): Region => ({ ...same, isAvailable: available }));

export class Regions {
  constructor(private readonly api: ApiRequests) {}

  async list(signal: AbortSignal): Promise<Region[]> {
    const call = { path: "/v2/regions", key: "regions", scopes: ["regions:read"] };
    return this.api.list({ ...call, schema: regionSchema, signal });
  }
}
