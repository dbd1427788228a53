import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import { instancesOf } from "../../releases/instances-of.js";
import type { ReleaseWork } from "../step.js";

/** Stops all instances of a release at once. */
export async function stopInstances({ tools, record }: Pick<ReleaseWork, "tools" | "record">): Promise<void> {
  const grace = tools.settings.instances.stopSeconds;
  await Promise.all(instanceIds(record).map(async (id) => tools.engine.stop(id, grace)));
}

/**
 * Stops them once no proxy leads anybody to them. If a silent proxy still may, they are stopped when it has followed or was
 * removed; this does not wait for that.
 */
export async function stopWhenOut(work: ReleaseWork): Promise<void> {
  const { tools, app, record, goneSince } = work;
  const unheard =
    goneSince === undefined ? undefined : await waitForProxiesIfPossible(tools, goneSince, app.name);
  if (goneSince === undefined || unheard === undefined) await stopInstances(work);
  else for (const id of instanceIds(record)) tools.leaving.begin(id, { goneSince, drainSeconds: 0 });
}

/** Those that a release's record knows, and those that were being started. */
function instanceIds(record: ReleaseWork["record"]): string[] {
  return [...new Set([...record.instances, ...instancesOf(record)].map(({ id }) => id))];
}
