import type { FleetRequests } from "../../core/records/fleet/fleet-requests.js";
import type { HostRole } from "../../core/records/hosts/host-record.js";
import type { Fleet } from "./fleet.js";

/** Asks the server for hosts, which has the limits and does it. */
export class RequestedFleet implements Fleet {
  constructor(
    private readonly requests: FleetRequests,
    private readonly now: () => Promise<number>,
  ) {}

  async grow(role: HostRole, reason: string): Promise<void> {
    await this.requests.ask({ role, change: "grow", reason, at: await this.now() });
  }
}
