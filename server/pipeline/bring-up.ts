import type { InstanceRecord } from "../../core/records/releases/release-record.js";
import { toAppError } from "../../core/errors/app-error.js";
import { unlessDiskIsFull } from "./disk-space.js";
import { instancesOf } from "../releases/release-logs.js";
import type { ReleaseWork } from "./step.js";
import { checkInstances } from "./steps/health.js";
import { startInstances } from "./steps/start.js";

/**
 * All instances of a release. Those that run already are asked again where `all` are; when one is not healthy, the new ones
 * go.
 */
export async function bringUp(
  work: ReleaseWork,
  present: readonly InstanceRecord[],
  signal: AbortSignal,
  { all }: { readonly all: boolean },
): Promise<InstanceRecord[]> {
  const { record } = work;
  const known = new Set(present.map(({ id }) => id));
  try {
    const instances = await startInstances(work);
    const fresh = instances.filter(({ id }) => !known.has(id));
    const check = async (some: InstanceRecord[], areNew: boolean): Promise<void> => {
      if (some.length === 0) return;
      await checkInstances({ ...work, record: { ...record, instances: some } }, signal, { areNew });
    };
    await check(fresh, true);
    if (all)
      await check(
        instances.filter(({ id }) => known.has(id)),
        false,
      );
    return instances;
  } catch (error) {
    discardFresh(work, present);
    throw await unlessDiskIsFull(work.tools, toAppError(error));
  }
}

/** Those that were started for a release and are not `present` go, unless its record names them. */
export function discardFresh(
  work: Pick<ReleaseWork, "tools" | "record">,
  present: readonly InstanceRecord[],
): void {
  const known = new Set(present.map(({ id }) => id));
  letGoUnlessNamed(
    work,
    instancesOf(work.record).filter(({ id }) => !known.has(id)),
  );
}

/** Instances go unless the release's record names them: Redis may have written it, or not, before its answer was lost. */
export function letGoUnlessNamed(
  { tools, record }: Pick<ReleaseWork, "tools" | "record">,
  instances: readonly { readonly id: string }[],
): void {
  const { app, number, traffic } = record;
  for (const { id } of instances) {
    const goneSince = async (): Promise<number | undefined> => {
      const isNamed = (await tools.releases.find(app, number))?.instances.some((known) => known.id === id);
      return isNamed === true ? undefined : tools.routes.update(app, (table) => table);
    };
    tools.leaving.begin(id, { goneSince, drainSeconds: traffic.drainSeconds });
  }
}
