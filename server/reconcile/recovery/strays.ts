import { parseInstanceId } from "../../../core/instances/instance-id.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import { instancesOf } from "../../releases/instances-of.js";
import type { ReconcileNeeds } from "../needs.js";
import type { InstanceState } from "../../engines/engine.js";
import type { AppSnapshot } from "./app-snapshot.js";

/**
 * Stops instances that an earlier server left and that the route table does not name: a release was retired or undone only in
 * part. More of a process than its release has go when nothing is open on them: it was scaled down, or a promotion or a change
 * of scale did not come to its switch. What was started since is not among those that were left.
 */
export async function stopStrays(
  tools: ReconcileNeeds,
  { name: app, table, instances }: AppSnapshot & { readonly instances: readonly InstanceState[] },
  records: readonly ReleaseRecord[],
): Promise<void> {
  for (const { id } of instances) {
    const number = numberOf(id);
    const record = records.find((candidate) => candidate.number === number);
    const routed = table.releases.find((candidate) => candidate.number === number);
    if (routed === undefined || routed.asleep) {
      await stopWhenOut(tools, app, number, id);
      continue;
    }
    if (record === undefined || instancesOf(record).some((source) => source.id === id)) continue;
    const revision = await tools.routes.revisionOf(app);
    tools.leaving.begin(id, { goneSince: revision, drainSeconds: routed.drainSeconds });
  }
  const isRouted = (number: number): boolean => table.releases.some((release) => release.number === number);
  // Of some the earlier server had stopped all instances, and not written it.
  const left = new Set(instances.map(({ id }) => numberOf(id)));
  for (const { number, phase } of records)
    if (phase === "settled" && !left.has(number) && !isRouted(number)) await retireIfOut(tools, app, number);
}

function numberOf(id: string): number {
  return parseInstanceId(id)?.release ?? 0;
}

/** Stops it at once when no proxy routes to it; a silent proxy delays this stop, not the server's start. */
async function stopWhenOut(tools: ReconcileNeeds, app: string, number: number, id: string): Promise<void> {
  // Its undoing found a silent proxy, too.
  if (tools.leaving.isLeaving(id)) return;
  const revision = await tools.routes.revisionOf(app);
  const unheard = await waitForProxiesIfPossible(tools, revision, app);
  const afterwards = async (): Promise<void> => retireIfOut(tools, app, number);
  if (unheard === undefined) {
    await tools.engine.stop(id, tools.settings.instances.stopSeconds);
    await afterwards();
  } else tools.leaving.begin(id, { goneSince: revision, drainSeconds: 0, afterwards });
}

async function retireIfOut(tools: ReconcileNeeds, app: string, number: number): Promise<void> {
  const { releases } = await tools.routes.read(app);
  const record = await tools.releases.find(app, number);
  if (record?.phase === "settled" && !releases.some((release) => release.number === number))
    await tools.releases.advance(record, "retired", { instances: [] });
}
