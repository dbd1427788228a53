import { parseInstanceId } from "../../../core/instances/instance-id.js";
import type { RouteTable } from "../../../core/records/routes/route-table.js";
import type { ReconcileNeeds } from "../needs.js";

/** Which releases of an app the engine of earlier settings still runs: number → ids of its instances. */
export async function formerInstances(
  { former }: Pick<ReconcileNeeds, "former">,
  app: string,
): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  for (const { id } of (await former?.engine.list()) ?? []) {
    const one = parseInstanceId(id);
    if (one?.app === app) found.set(one.release, [...(found.get(one.release) ?? []), id]);
  }
  return found;
}

/** Those that nobody has visitors for: of releases that are over, or were never begun. */
export async function stopFormerStrays(
  { former, settings }: Pick<ReconcileNeeds, "former" | "settings">,
  app: string,
  { releases }: RouteTable,
): Promise<void> {
  const routed = new Set(releases.map(({ number }) => number));
  for (const [number, ids] of await formerInstances({ former }, app))
    if (!routed.has(number))
      await Promise.all(ids.map(async (id) => former?.engine.stop(id, settings.instances.stopSeconds)));
}
