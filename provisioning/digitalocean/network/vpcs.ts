import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import type { ApiRequests } from "../requests/api-requests.js";
import { createOnce } from "../requests/create-once.js";

/** A private network of one region. */
export interface Vpc {
  readonly id: string;
  readonly name: string;
  /** Slug. */
  readonly region: string;
  /** CIDR. */
  readonly range: string;
  /** Whether it is for the region's droplets that name no VPC. */
  readonly isDefault: boolean;
}

const vpcSchema = z
  .object({
    ...{ id: z.string(), name: z.string(), region: z.string() },
    ...{ ip_range: z.string(), default: z.boolean().default(false) },
  })
  .transform(({ ip_range, default: isDefault, ...same }): Vpc => ({ ...same, range: ip_range, isDefault }));

export class Vpcs {
  constructor(
    private readonly api: ApiRequests,
    private readonly clock: Clock,
  ) {}

  async list(signal: AbortSignal): Promise<Vpc[]> {
    const call = { path: "/v2/vpcs", key: "vpcs", scopes: ["vpc:read"] };
    return this.api.list({ ...call, schema: vpcSchema, signal });
  }

  /** Creates a VPC of this name unless the region has one. DigitalOcean chooses its range. */
  async ensure({ name, region }: { name: string; region: string }, signal: AbortSignal): Promise<Vpc> {
    return createOnce(
      {
        find: async () => (await this.list(signal)).find((vpc) => vpc.name === name && vpc.region === region),
        create: async () => this.create({ name, region }, signal),
      },
      this.clock,
      signal,
    );
  }

  private async create(body: { name: string; region: string }, signal: AbortSignal): Promise<Vpc> {
    const call = { method: "POST", path: "/v2/vpcs", scopes: ["vpc:create"], body } as const;
    return (await this.api.send({ ...call, schema: z.object({ vpc: vpcSchema }), signal })).vpc;
  }
}
