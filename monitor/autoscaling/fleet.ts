import type { HostRole } from "../../core/records/hosts/host-record.js";

/** Where machines come from. */
export interface Fleet {
  /**
   * Asks for one machine more with this role. Resolves when it was asked for, long before it is there. While one is on its way
   * a second call changes nothing.
   */
  grow(role: HostRole, reason: string): Promise<void>;
}
