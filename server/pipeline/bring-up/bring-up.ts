import { toAppError } from "../../../core/errors/app-error.js";
import type { InstanceRecord } from "../../../core/records/releases/release-record.js";
import { withDeadline } from "../runner/deadline.js";
import { unlessDiskIsFull } from "../disk-space.js";
import type { ReleaseWork } from "../step.js";
import { checkInstances } from "./check-instances.js";
import { discardFresh } from "./discard.js";
import { ensureRedisUser } from "./ensure-redis-user.js";
import { startInstances } from "./start-instances.js";

export interface BringUpOptions {
  readonly signal: AbortSignal;
  /** Instances that run already and stay, whatever happens. */
  readonly present: readonly InstanceRecord[];
  /** Which instances must be healthy. `none` for a release that served before the machine stopped. */
  readonly check: "fresh" | "all" | "none";
  /** Called when every instance is started, before the first check. */
  readonly onStarted?: (instances: InstanceRecord[]) => Promise<void>;
  /** On a failure the fresh instances stay: the caller removes them. */
  readonly keepsFresh?: boolean;
}

/**
 * Makes the instances of a release ready to serve: its app's Redis user, every instance that its record asks for, their
 * addresses, their health. Returns the instances, in the order of the record's processes. A failure removes the fresh ones.
 */
export async function bringUp(work: ReleaseWork, options: BringUpOptions): Promise<InstanceRecord[]> {
  const { tools } = work;
  const { present, check, signal, onStarted, keepsFresh } = options;
  try {
    // A recovery makes the users of all apps at once.
    if (check !== "none") await ensureRedisUser(work);
    const limitMs = tools.settings.limits.releaseSeconds * 1000;
    const instances = await withDeadline("start", limitMs, signal, async (stop) =>
      startInstances(work, { mayEnd: check === "none" }, stop),
    );
    await onStarted?.(instances);
    const known = new Set(present.map(({ id }) => id));
    const [old, fresh] = [
      instances.filter(({ id }) => known.has(id)),
      instances.filter(({ id }) => !known.has(id)),
    ];
    const checked = await withDeadline("health check", limitMs, signal, async (stop) => [
      ...(check === "none" ? [] : await checkInstances(work, fresh, { signal: stop, areFresh: true })),
      ...(check === "all" ? await checkInstances(work, old, { signal: stop, areFresh: false }) : []),
    ]);
    return instances.map((instance) => checked.find(({ id }) => id === instance.id) ?? instance);
  } catch (error) {
    if (keepsFresh !== true) discardFresh(work, present);
    throw await unlessDiskIsFull(tools, toAppError(error));
  }
}
