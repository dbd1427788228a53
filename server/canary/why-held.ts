import { PRODUCTION, type RouteTable } from "../../core/records/route-table.js";

/** Why no visitor is sent to the canary now, so that nothing is decided; undefined: some are. */
export function whyHeld({ canary, tracks }: RouteTable, isAlert: boolean): string | undefined {
  if (isAlert) return "sluice:alert is yes: no visitor is sent to the canary. `sluice alerts` says why.";
  // Without production it has all visitors.
  if (canary?.share === 0 && tracks[PRODUCTION] !== undefined)
    return "No visitor is sent to the canary: its share is 0. Those who ask for it are not counted here.";
  return undefined;
}
