import type { SizedRole } from "../../core/records/fleet/fleet-host.js";

/** Where machines come from. */
export interface Fleet {
  /**
   * Asks for one machine more with this role. Resolves when it was asked for, long before it is there. While one is on its way
   * a second call changes nothing.
   */
  grow(role: SizedRole, reason: string): Promise<void>;
}
