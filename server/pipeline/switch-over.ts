import type { Actor } from "../../core/records/events/actor.js";
import { toAppError } from "../../core/errors/app-error.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { EventsOfChange } from "../../core/records/routes/route-tables.js";
import { eventsOfRelease } from "../events/events-of.js";
import { waitForProxiesIfPossible } from "../routes/wait-for-proxies.js";
import type { ReleaseWork } from "./step.js";
import { askRedisAgain } from "./runner/until-redis-answers.js";

export interface SwitchOver {
  /** The release's record as it is afterwards. */
  readonly record: ReleaseRecord;
  /** The route table as it is afterwards. May be called again; throws when the switch must not be made any more. */
  readonly change: (table: RouteTable) => RouteTable;
  /** Who asked for another size; of anything else the record says it. */
  readonly actor?: Actor | undefined;
  /** False: the proxies follow when they can, and nobody waits for them. */
  readonly waits?: boolean;
}

/**
 * Moves traffic: writes the release's record, the route table and the event in one step, and waits until the proxies have
 * confirmed. A proxy that does not confirm is reported and holds up nothing else, since there is no way back. Returns the
 * table's revision. Throws `redis-unavailable` when nobody knows whether it was written.
 */
export async function switchOver(
  work: ReleaseWork,
  { record, change, actor, waits = true }: SwitchOver,
  signal: AbortSignal,
): Promise<number> {
  const { tools, out } = work;
  const eventsOf: EventsOfChange = ({ releases }) =>
    releases.flatMap(({ before, after }) => eventsOfRelease(before, after, actor));
  const revision = await askRedisAgain(
    work,
    async () => tools.routes.update(record.app, change, [record], eventsOf),
    signal,
  );
  work.record = record;
  if (!waits) return revision;
  const unheard = await waitForProxiesIfPossible(tools, revision, record.app).catch(toAppError);
  if (unheard !== undefined) out.problem(unheard);
  return revision;
}
