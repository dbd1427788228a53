import type { FleetRequests } from "../../core/records/fleet/fleet-requests.js";
import type { SizedRole } from "../../core/records/fleet/fleet-host.js";
import type { Fleet } from "./fleet.js";

/** Asks the server for hosts, which has the limits and does it. */
export class RequestedFleet implements Fleet {
  constructor(
    private readonly requests: FleetRequests,
    private readonly now: () => Promise<number>,
  ) {}

  async grow(role: SizedRole, reason: string): Promise<void> {
    await this.requests.ask({ role, reason, at: await this.now() });
  }
}
