import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { withoutIndices } from "../../../core/records/releases/process-indices.js";
import type { RoutedRelease, RouteTable } from "../../../core/records/routes/route-table.js";
import { withInstances } from "../../routes/route-changes.js";
import { bringUp } from "../bring-up/bring-up.js";
import { discardFresh, discardUnlessNamed } from "../bring-up/discard.js";
import type { ReleaseWork } from "../step.js";
import { switchOver } from "../switch-over.js";

/**
 * Replaces instances of a release with fresh ones under other indices; the engine chooses their hosts. The fresh ones are
 * healthy and get the visitors first. The old ones then get no more, drain and are stopped, which may be after this has
 * resolved. A failure before the switch changes nothing. After a crash the next server stops what is left (`recover`). Call it
 * only within `exclusively` and in the release's turn.
 */
export async function relocate(
  work: ReleaseWork,
  routed: RoutedRelease,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const { tools, record: before } = work;
  const left = before.instances.filter(({ id }) => ids.has(id));
  if (left.length === 0) return;
  work.record = { ...before, processes: await otherIndices(work, left) };
  const instances = await bringUp(work, { present: before.instances, check: "fresh", signal });
  const moved = { ...work.record, instances };
  const change = (table: RouteTable): RouteTable => withInstances(table, moved);
  const goneSince = await switchOver(work, { record: moved, change }, signal).catch((error: unknown) => {
    // Some of them are too many, whether it was written or not.
    discardFresh(work, before.instances);
    discardUnlessNamed(work, left);
    throw error;
  });
  const drainSeconds = secondsToDrain(routed, tools.clock.now());
  for (const { id } of left) tools.leaving.begin(id, { goneSince, drainSeconds });
}

/** One that left earlier may still run: its index is not used again before it has ended. */
async function otherIndices(
  { tools, record }: ReleaseWork,
  left: readonly { readonly process: string; readonly index: number }[],
): Promise<ReleaseWork["record"]["processes"]> {
  const running = (await tools.engine.list()).flatMap(({ id }) => parseInstanceId(id) ?? []);
  const ofRelease = running.filter(({ app, release }) => app === record.app && release === record.number);
  return record.processes.map((process) => {
    const of = (instances: readonly { readonly process: string; readonly index: number }[]): Set<number> =>
      new Set(instances.filter((one) => one.process === process.name).map(({ index }) => index));
    return withoutIndices(process, of(left), of(ofRelease));
  });
}

/** A release that was replaced has had some of its time. */
function secondsToDrain({ replacedAt, drainSeconds }: RoutedRelease, now: number): number {
  return replacedAt === undefined ? drainSeconds : Math.max(0, drainSeconds - (now - replacedAt) / 1000);
}
