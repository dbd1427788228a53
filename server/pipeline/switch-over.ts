import { toAppError } from "../../core/errors/app-error.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import { waitForProxiesIfPossible } from "../routes/wait-for-proxies.js";
import type { ReleaseWork } from "./step.js";
import { askRedisAgain } from "./until-redis-answers.js";

export interface SwitchOver {
  /** The release's record as it is afterwards. */
  readonly record: ReleaseRecord;
  /** The route table as it is afterwards. May be called again; throws when the switch must not be made any more. */
  readonly change: (table: RouteTable) => RouteTable;
  /** False: the proxies follow when they can, and nobody waits for them. */
  readonly waits?: boolean;
}

/**
 * Moves traffic: writes the release's record and the route table in one step, says so to whoever follows releases, and
 * waits until the proxies have confirmed. A proxy that does not confirm is reported and holds up nothing else, since there
 * is no way back. Returns the table's revision. Throws `redis-unavailable` when nobody knows whether it was written.
 */
export async function switchOver(
  work: ReleaseWork,
  { record, change, waits = true }: SwitchOver,
  signal: AbortSignal,
): Promise<number> {
  const { tools, out, record: before } = work;
  const revision = await askRedisAgain(
    work,
    async () => tools.routes.update(record.app, change, [record]),
    signal,
  );
  tools.changes.tell(before, record);
  work.record = record;
  if (!waits) return revision;
  const unheard = await waitForProxiesIfPossible(tools, revision, record.app).catch(toAppError);
  if (unheard !== undefined) out.problem(unheard);
  return revision;
}
