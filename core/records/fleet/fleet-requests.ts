import { z } from "zod";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";
import { SIZED_ROLES, type SizedRole } from "./fleet-host.js";

const requestSchema = z.object({
  v: z.literal(1),
  role: z.enum(SIZED_ROLES),
  reason: z.string(),
  /** ms since 1970, by Redis' clock. */
  at: z.number(),
});

/** One host more for a role. */
export type FleetRequest = z.infer<typeof requestSchema>;

/** The hosts that apps need: the monitor asks, the server orders them. One request a role at a time. */
export class FleetRequests {
  constructor(private readonly redis: Database) {}

  /** Does nothing while an earlier one for the role waits. */
  async ask(request: Omit<FleetRequest, "v">): Promise<void> {
    const text = JSON.stringify({ v: 1, ...request });
    await this.redis.hsetnx(keys.fleetRequests, request.role, text);
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
