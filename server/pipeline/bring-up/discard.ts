import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import { instancesOf } from "../../releases/instances-of.js";
import type { ReleaseWork } from "../step.js";

type Discarding = Pick<ReleaseWork, "tools" | "record">;

/** Stops the instances that were started for a release and are not `present`, unless its record names them. */
export function discardFresh(work: Discarding, present: readonly InstanceRecord[]): void {
  const known = new Set(present.map(({ id }) => id));
  discardUnlessNamed(
    work,
    instancesOf(work.record).filter(({ id }) => !known.has(id)),
  );
}

/**
 * Stops instances unless the release's record names them: Redis may have written it, or not, before its answer was lost.
 * Returns at once.
 */
export function discardUnlessNamed(
  { tools, record }: Discarding,
  instances: readonly { readonly id: string }[],
): void {
  const { app, number, serving } = record;
  for (const { id } of instances) {
    const goneSince = async (): Promise<number | undefined> => {
      const isNamed = (await tools.releases.find(app, number))?.instances.some((known) => known.id === id);
      return isNamed === true ? undefined : tools.routes.update(app, (table) => table);
    };
    tools.leaving.begin(id, { goneSince, drainSeconds: serving.drainSeconds });
  }
}
