import type { InstanceRole } from "../engines/engine-hosts.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";

/** The role of the hosts that a release's instances are for. */
export function hostRoleOf({ track }: Pick<ReleaseRecord, "track">): InstanceRole {
  return track === PRODUCTION ? "production" : "staging";
}
