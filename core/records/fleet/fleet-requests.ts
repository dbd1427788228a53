import { z } from "zod";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import { SIZED_ROLES, type SizedRole } from "./fleet-host.js";

const requestSchema = z.object({
  v: z.literal(1),
  role: z.enum(SIZED_ROLES),
  /** One host more, or one fewer. */
  change: z.enum(["grow", "shrink"]),
  /** Which one is to go. */
  host: z.string().optional(),
  reason: z.string(),
  /** ms since 1970, by Redis' clock. */
  at: z.number(),
});

export type FleetRequest = z.infer<typeof requestSchema>;

/** What the autoscaler wants of the hosts: the monitor asks, the server does it. One request a role at a time. */
export class FleetRequests {
  constructor(private readonly redis: Database) {}

  /** Does nothing while an earlier one for the role waits. Returns whether it was written. */
  async ask(request: Omit<FleetRequest, "v">): Promise<boolean> {
    const text = JSON.stringify({ v: 1, ...request });
    return (await this.redis.hsetnx(keys.fleetRequests, request.role, text)) === 1;
  }

  async waiting(): Promise<FleetRequest[]> {
    const texts = await this.redis.hvals(keys.fleetRequests);
    return texts.map((text) => requestSchema.parse(JSON.parse(text)));
  }

  /** It is done, or will not be. */
  async done(role: SizedRole): Promise<void> {
    await this.redis.hdel(keys.fleetRequests, role);
  }
}
