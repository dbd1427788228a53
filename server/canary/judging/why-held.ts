import { canaryShare, type RouteTable } from "../../../core/records/routes/route-table.js";

/** Why no visitor is sent to the canary now, so that nothing is decided; undefined: some are. */
export function whyHeld(table: RouteTable, isAlert: boolean): string | undefined {
  if (canaryShare(table, isAlert) > 0) return undefined;
  return isAlert
    ? "sluice:alert is yes, so no visitors are sent to the canary. `sluice alerts` shows why."
    : "No visitors are sent to the canary: its share is 0. Visitors who choose it themselves do not count.";
}
